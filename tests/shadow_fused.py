"""What CUDA computes in one kernel and a CPU in several, for `tests/shadow_cuda.py`: one kernel each way."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import dropout, rms_norm
from torch.nn.functional import scaled_dot_product_attention as attention

from tests.shadow_device import Device, is_on_device

FUSED = {
    rms_norm: "_fused_rms_norm",
    dropout: "native_dropout",
    attention: "_scaled_dot_product_efficient_attention",
}
"""The functions, and CUDA's names for their kernels."""


class Arguments(NamedTuple):
    """Of a function; other tensors can be put in the places of its tensors."""

    given: tuple[Any, ...]
    named: dict[str, Any]

    def tensors(self) -> list[Tensor]:
        return [value for value in (*self.given, *self.named.values()) if isinstance(value, Tensor)]

    def call(self, function: Any, tensors: Sequence[Tensor]) -> Tensor:
        others = iter(tensors)
        given = [next(others) if isinstance(value, Tensor) else value for value in self.given]
        named = {
            name: next(others) if isinstance(value, Tensor) else value for name, value in self.named.items()
        }
        return function(*given, **named)


def is_fused(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether this call is one kernel on the device; a dropout that drops nothing is none."""
    if function not in FUSED or not is_on_device(args[0]):
        return False
    return function is not dropout or (kwargs.get("training", True) and kwargs.get("p", 0.5) > 0)


def fused(device: Device, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Call a function as one kernel, after the casts that autocast gives attention."""
    arguments = Arguments(args, kwargs)
    tensors = arguments.tensors()
    device.refuse_mixed(FUSED[function], tensors)
    if function is attention and torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        tensors = [tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in tensors]
    return _Fused.apply(device, function, arguments, *tensors)


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, device: Device, function: Any, arguments: Arguments, *tensors: Tensor) -> Tensor:
        ctx.device, ctx.function, ctx.arguments = device, function, arguments
        ctx.random = device.generator.get_state()
        ctx.save_for_backward(*tensors)
        device.note("kernel", FUSED[function])
        with _uncounted(), device.own_random_numbers():
            return device.put(arguments.call(function, tensors))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Compute it again with the same random numbers, and its gradients."""
        device, needed = ctx.device, ctx.needs_input_grad[3:]
        device.note("kernel", f"{FUSED[ctx.function]}_backward")
        given = [
            tensor.detach().requires_grad_(is_needed)
            for tensor, is_needed in zip(ctx.saved_tensors, needed, strict=True)
        ]
        now = device.generator.get_state()
        device.generator.set_state(ctx.random)
        with _uncounted(), torch.enable_grad(), device.own_random_numbers():
            made = ctx.arguments.call(ctx.function, given)
            found = iter(torch.autograd.grad(made, [t for t in given if t.requires_grad], gradients))
        device.generator.set_state(now)
        return None, None, None, *[device.put(next(found)) if is_needed else None for is_needed in needed]


@contextmanager
def _uncounted() -> Iterator[None]:
    with (
        torch._C._DisableTorchDispatch(),
        torch._C.DisableTorchFunction(),
        torch.autocast("cpu", enabled=False),
    ):
        yield
