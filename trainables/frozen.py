"""Frozen weights in the dtype of autocast, cast once for all forward passes of a trial.

Autocast casts the weights of a product in each forward pass; trained ones it casts once a pass and remembers
within it, frozen ones each time they are used. The products are the same: only the casts are saved.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

from trainables.methods import Model


def cast_frozen(model: Model, dtype: torch.dtype) -> None:
    """Have each linear layer with a frozen fp32 weight multiply by a copy in `dtype` where autocast is on.

    The weights themselves stay as they are: they are what is read, saved, merged and compared.
    """
    for layer in model.modules():
        if type(layer) in (nn.Linear, Conv1D) and _is_frozen(layer):
            layer.forward = CastForward(layer, dtype)


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
