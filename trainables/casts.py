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

from trainables.compat.torch import copy_all, multiply_all
from trainables.kernels import FusedRMSNorm
from trainables.low_rank import LoraForward, fuse_lora
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


class Together:
    """Prepare small trained weights for a forward pass in one kernel, and their gradients in another.

    B of plain LoRA is multiplied by its scale (see `LoraForward`); on a device all are cast to `dtype`. Of
    large ones casting takes longer than starting it, and their gradients would be held in both dtypes.
    """

    def __init__(self, model: Model, dtype: torch.dtype | None, device: torch.device) -> None:
        self.dtype = dtype
        scaled = [forward for forward in fuse_lora(model) if _is_small_and_trained(forward.up)]
        ups = {forward.up for forward in scaled}
        casts = []
        if dtype is not None and device.type != "cpu":
            layers = [layer for layer in model.modules() if type(layer) in LINEAR and layer not in ups]
            casts = [CastForward(layer) for layer in layers if _is_small_and_trained(layer)]
        for cast in casts:
            cast.layer.forward = cast
        self._users: list[LoraForward | CastForward] = [*scaled, *casts]
        self._weights = [*(forward.up.weight for forward in scaled), *(cast.layer.weight for cast in casts)]
        self._scales = [*(forward.scale for forward in scaled), *(1.0 for _ in casts)]

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Use the copies within the block, in which the weights must not change."""
        if not self._users:
            yield
            return
        copies = _Prepare.apply(self.dtype or torch.float32, self._scales, *self._weights)
        for user, copy in zip(self._users, copies, strict=True):
            user.use(copy)
        try:
            yield
        finally:
            for user in self._users:
                user.use(None)


class _Prepare(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, dtype: torch.dtype, scales: Sequence[float], *weights: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.scales = scales
        return tuple(_cast(_scaled(weights, scales), dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        there = [(g, scale) for g, scale in zip(gradients, ctx.scales, strict=True) if g is not None]
        found = iter(_scaled(_cast([g for g, _ in there], torch.float32), [scale for _, scale in there]))
        return None, None, *(None if gradient is None else next(found) for gradient in gradients)


def _cast(tensors: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    copies = [torch.empty_like(tensor, dtype=dtype) for tensor in tensors]
    if copies:
        copy_all(copies, tensors)
    return copies


def _scaled(tensors: Sequence[Tensor], scales: Sequence[float]) -> list[Tensor]:
    """In fp32: of a scale in bf16 little would be left."""
    return multiply_all(tensors, scales) if any(scale != 1 for scale in scales) else list(tensors)


class CastForward:
    """The forward pass of one linear layer, by a copy of its weight where there is one and autocast is on."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.weight: Tensor | None = None
        self.bias = layer.bias

    def use(self, weight: Tensor | None) -> None:
        self.weight = weight
        if weight is not None and isinstance(self.layer, Conv1D):
            self.weight = weight.T

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
