"""What autocast casts again and again, cast once.

Autocast casts what goes into a product: the weights in each forward pass, of which it remembers trained ones
within the pass and frozen ones not at all; the input as often as it is used. The products are the same.
"""

from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

from trainables.kernels import FusedRMSNorm
from trainables.methods import Model

BEFORE_PRODUCTS = ("layer_norm", "input_layernorm", "post_attention_layernorm")
"""Names, in T5's and Llama's families, of the norms whose outputs go into products alone."""


def cast_frozen(model: Model, dtype: torch.dtype) -> None:
    """Have each linear layer with a frozen fp32 weight multiply by a copy in `dtype` where autocast is on.

    The weights themselves stay as they are: they are what is read, saved, merged and compared.
    """
    for layer in model.modules():
        if type(layer) in (nn.Linear, Conv1D) and _is_frozen(layer):
            layer.forward = CastForward(layer, dtype)


def cast_inputs(model: Model, dtype: torch.dtype) -> None:
    """Have the norms before attention and feed-forward layers cast what several products take in.

    LoRA's layers would cast it back to fp32, and so does every other adapter of peft's, whose own arithmetic
    may count on it: with one of those all stays as it is.
    """
    adapters = [layer for layer in model.modules() if isinstance(layer, BaseTunerLayer)]
    if not all(isinstance(layer, LoraLayer) and not layer.lora_variant for layer in adapters):
        return
    for layer in adapters:
        layer.cast_input_dtype_enabled = False
    for name, norm in model.named_modules():
        if isinstance(norm, FusedRMSNorm) and name.rpartition(".")[2] in BEFORE_PRODUCTS:
            norm.output_dtype = dtype


def cast_anew(model: Model) -> None:
    """Copy weights that have changed since: an adapter was merged into them, or taken out."""
    for layer in model.modules():
        forward = vars(layer).get("forward")
        if isinstance(forward, CastForward):
            forward.cast()


class CastForward:
    """The forward pass of one linear layer."""

    def __init__(self, layer: Any, dtype: torch.dtype) -> None:
        self.layer = layer
        self.dtype = dtype
        self.cast()

    def cast(self) -> None:
        layer = self.layer
        weight = layer.weight.detach().to(self.dtype)
        self.weight = weight.T if isinstance(layer, Conv1D) else weight
        is_frozen = layer.bias is not None and not layer.bias.requires_grad
        self.bias = layer.bias.detach().to(self.dtype) if is_frozen else layer.bias

    def __call__(self, states: Tensor) -> Tensor:
        if torch.is_autocast_enabled(self.weight.device.type):
            return functional.linear(states, self.weight, self.bias)
        return type(self.layer).forward(self.layer, states)


def _is_frozen(layer: Any) -> bool:
    return layer.weight.dtype is torch.float32 and not layer.weight.requires_grad
