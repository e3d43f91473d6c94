"""What autocast casts again and again, cast once.

Autocast casts what goes into a product: the weights in each forward pass, of which it remembers trained ones
within the pass and frozen ones not at all; the input as often as it is used. The products are the same.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

from trainables.compat.torch import copy_all
from trainables.kernels import FusedRMSNorm
from trainables.methods import Model

LINEAR = (nn.Linear, Conv1D)
SMALL = 2**20
"""Elements of a weight."""
BEFORE_PRODUCTS = ("layer_norm", "input_layernorm", "post_attention_layernorm")
"""Names, in T5's and Llama's families, of the norms whose outputs go into products alone."""


def cast_frozen(model: Model, dtype: torch.dtype) -> None:
    """Have each linear layer with a frozen fp32 weight multiply by a copy in `dtype` where autocast is on.

    The weights themselves stay as they are: they are what is read, saved, merged and compared.
    """
    for layer in model.modules():
        if type(layer) in LINEAR and _is_frozen(layer):
            layer.forward = CastForward(layer)
            layer.forward.use_frozen(dtype)


def cast_inputs(model: Model, dtype: torch.dtype) -> None:
    """Have the norms before attention and feed-forward layers cast what several products take in.

    LoRA's layers would cast it back to fp32, and so does every other adapter of peft's, whose own arithmetic
    may count on it: with one of those all stays as it is.
    """
    adapters: list[Any] = [layer for layer in model.modules() if isinstance(layer, BaseTunerLayer)]
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
        if isinstance(forward, CastForward) and forward.weight is not None:
            forward.use_frozen(forward.weight.dtype)


class CastTogether:
    """Cast small trained weights in one kernel a forward pass, and their gradients in one a backward pass.

    Of large ones casting takes longer than starting it, and their gradients would be held in both dtypes.
    """

    def __init__(self, model: Model, dtype: torch.dtype) -> None:
        layers = [
            layer for layer in model.modules() if type(layer) in LINEAR and _is_small_and_trained(layer)
        ]
        self.dtype = dtype
        self.forwards = [CastForward(layer) for layer in layers]
        for forward in self.forwards:
            forward.layer.forward = forward

    @contextmanager
    def casting(self) -> Iterator[None]:
        """Use the casts in the forward pass within the block, if there will be gradients."""
        if not self.forwards or not torch.is_grad_enabled():
            yield
            return
        copies = _Cast.apply(self.dtype, *[forward.layer.weight for forward in self.forwards])
        for forward, copy in zip(self.forwards, copies, strict=True):
            forward.use(copy)
        try:
            yield
        finally:
            for forward in self.forwards:
                forward.weight = None


class _Cast(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        return _cast(weights, dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        found = iter(_cast([gradient for gradient in gradients if gradient is not None], torch.float32))
        return None, *(None if gradient is None else next(found) for gradient in gradients)


def _cast(tensors: Sequence[Tensor], dtype: torch.dtype) -> tuple[Tensor, ...]:
    copies = [torch.empty_like(tensor, dtype=dtype) for tensor in tensors]
    if copies:
        copy_all(copies, tensors)
    return tuple(copies)


class CastForward:
    """The forward pass of one linear layer, by a copy of its weight where there is one and autocast is on."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.weight: Tensor | None = None
        self.bias = layer.bias

    def use(self, weight: Tensor) -> None:
        self.weight = weight.T if isinstance(self.layer, Conv1D) else weight

    def use_frozen(self, dtype: torch.dtype) -> None:
        layer = self.layer
        self.use(layer.weight.detach().to(dtype))
        if layer.bias is not None and not layer.bias.requires_grad:
            self.bias = layer.bias.detach().to(dtype)

    def __call__(self, states: Tensor) -> Tensor:
        if self.weight is not None and torch.is_autocast_enabled(states.device.type):
            return functional.linear(states, self.weight, self.bias)
        return type(self.layer).forward(self.layer, states)


def _is_frozen(layer: Any) -> bool:
    return layer.weight.dtype is torch.float32 and not layer.weight.requires_grad


def _is_small_and_trained(layer: Any) -> bool:
    weight = layer.weight
    return weight.requires_grad and weight.dtype is torch.float32 and weight.numel() <= SMALL
