"""CUDA's rules without a GPU: tensors are in the CPU's memory, their storages say that they are on `cuda:0`.

Values and gradients are real. What a GPU refuses is refused: tensors of two devices in one operation, to read
one on the device by `.numpy()`, more memory than there is. Copies, synchronisations and kernels are counted,
each with the line of tuneoff that caused it. torch's Python code runs as it is; the C layer below it, which a
build without CUDA lacks, is replaced for the length of a `with` block, and so are tensors' own methods.

Not as on a GPU: speed and rounding; what autocast casts, as on a CPU; an operation counts as one kernel,
however many it launches. Only the thread that entered may use it, and what was moved to the device is of no
use after the block.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import _lru_cache_wrapper
from typing import Any, Self
from unittest.mock import patch

import torch
import torch._dynamo  # when it is first imported it must not see CUDA: it would look for all of it
from torch import Tensor
from torch._C import TensorBase
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from tests.shadow_device import DEVICE, HOST, Device, c_layer, device_of, is_on_device, is_pinned, pin
from tests.shadow_fused import fused, is_fused

_parse_to = torch._C._nn._parse_to
CACHING = ("torch", "transformers", "peft", "accelerate", "trainables")
"""Packages that remember what they once found: whether there is a GPU, or a model on it."""
INDEXING = ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index")
"""Operations whose indices, the second argument, may be on the host."""
FROM_DATA = ("tensor", "as_tensor", "asarray", "new_tensor")
"""Factories whose values come from the host."""
PRODUCTS = ("mm", "bmm", "addmm", "baddbmm", "mv", "addmv", "dot")
"""Operations that cuBLAS computes."""
NO_KERNEL = (
    "empty",
    "empty_like",
    "empty_strided",
    "new_empty",
    "new_empty_strided",
    "_unsafe_view",
    "_local_scalar_dense",
)
"""Operations that launch none, besides those that make a view."""
WAITED_FOR = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape)
"""How torch marks operations of which the host must know the values, or how many there are."""


class ShadowCuda(Device):
    """A machine with one GPU, for the length of a `with` block."""

    def __enter__(self) -> Self:
        self._exit = ExitStack()
        _forget()
        self._exit.callback(_forget)
        functions = _Functions(self)
        replacements = [
            *c_layer(self),
            (torch.autograd, {"_engine_run_backward": functions.around(torch.autograd._engine_run_backward)}),
            (Tensor, _methods(self)),
        ]
        for owner, attributes in replacements:
            for name, value in attributes.items():
                self._exit.enter_context(patch.object(owner, name, value, create=True))
        self._exit.enter_context(_Operations(self))
        self._exit.enter_context(functions)
        return self

    def __exit__(self, *error: object) -> None:
        self._exit.close()


class _Operations(TorchDispatchMode):
    """Every operation of ATen, those of the backward pass among them."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self.device = device

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        given = [*_tensors(args), *_tensors(kwargs.values())]
        there = [is_on_device(tensor) for tensor in given]
        if not any(there) and not (self.device.is_working and not given):
            return operation(*args, **kwargs)
        name = operation.overloadpacket.__name__
        if not operation.is_view:
            self.device.check_context()
        if name == "copy_" and not all(there):
            is_asynchronous = kwargs.get("non_blocking", True in args[2:])
            self.device.note_copy(name, given[1], to_device=there[0], waits=not is_asynchronous)
            return operation(*args, **kwargs)
        if name in INDEXING:
            self._note_indices(name, *args[1:3])
            given = [args[0], *_tensors(args[2:])]
        self.device.refuse_mixed(name, given)
        if name in PRODUCTS:
            _check_workspace()
        if torch.Tag.nondeterministic_seeded in operation.tags:
            with self.device.own_random_numbers():
                out = operation(*args, **kwargs)
        else:
            out = operation(*args, **kwargs)
        self._note(operation, name)
        for tensor in _tensors((out,)):
            self.device.put(tensor)
        return out

    def _note(self, operation: Any, name: str) -> None:
        if not operation.is_view and name not in NO_KERNEL:
            self.device.note("kernel", name)
        if name not in INDEXING and any(tag in operation.tags for tag in WAITED_FOR):
            self.device.note("synchronisation", name)
        if name == "_local_scalar_dense":
            self.device.note("copy to the host", name)

    def _note_indices(self, name: str, indices: Any, values: Tensor | None = None) -> None:
        """Those on the host are copied, the places of a mask counted unless one number fills them all."""
        is_filled = values is not None and values.numel() == 1
        for index in _tensors(indices):
            if not is_on_device(index):
                self.device.note_copy(name, index, to_device=True)
            if index.dtype in (torch.bool, torch.uint8) and not is_filled:
                self.device.note("synchronisation", name)


class _Functions(TorchFunctionMode):
    """Every function of torch's Python interface; of a tensor only those that are not among `_methods`."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self.device = device

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if function is _parse_to:
            return function(*args, **kwargs)
        if is_fused(function, args, kwargs):
            return fused(self.device, function, args, kwargs)
        shall_be_pinned, told = kwargs.pop("pin_memory", False), kwargs.get("device")
        if _is_cuda(told):
            return self._make(function, args, kwargs)
        is_there = told is None and any(map(is_on_device, _tensors((args, *kwargs.values()))))
        with self.device.working(is_there):
            made = function(*args, **kwargs)
        return pin(made) if shall_be_pinned else made

    def around(self, run_backward: Callable[..., Any]) -> Callable[..., Any]:
        """Have what the backward pass calls, as a checkpoint's second forward pass, come here too."""

        def run(tensors: tuple[Tensor, ...], *args: Any, **kwargs: Any) -> Any:
            with self, self.device.working(any(map(is_on_device, tensors))):
                return run_backward(tensors, *args, **kwargs)

        return run

    def _make(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """Call a factory for the CPU, and say of what it made that it is on the device."""
        name = function.__name__
        self.device.check_context()
        if name == "as_tensor" and isinstance(args[0], Tensor):
            return args[0].to(**kwargs)
        with self.device.own_random_numbers():
            made = function(*args, **kwargs | {"device": HOST})
        if name in FROM_DATA:
            self.device.note_copy(name, made, to_device=True)
        elif name not in NO_KERNEL:
            self.device.note("kernel", name)
        return self.device.put(made)


def _methods(device: Device) -> dict[str, Any]:
    """Those of a tensor that tell where it is, or take it elsewhere."""
    deepcopy = Tensor.__deepcopy__

    def to(tensor: Tensor, *args: Any, copy: bool = False, **kwargs: Any) -> Tensor:
        if args and isinstance(args[0], Tensor):
            args = (args[0].device, args[0].dtype, *args[1:])
        target, dtype, is_asynchronous, layout = _parse_to(*args, **kwargs)
        how = {"dtype": dtype or tensor.dtype, **({"memory_format": layout} if layout else {})}
        to_device = _is_cuda(target)
        if target is None or target.type == tensor.device.type:
            return TensorBase.to(tensor, copy=copy, **how)
        if "meta" in (target.type, tensor.device.type):
            return TensorBase.to(tensor, HOST if to_device else target, **how)
        return TensorBase.to(_Move.apply(tensor, device, not is_asynchronous), **how)

    def new_tensor(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return TensorBase.new_tensor(tensor, *args, **{"device": tensor.device, **kwargs})

    def copied(tensor: Tensor, memo: dict[int, Any]) -> Tensor:
        copy = deepcopy(tensor, memo)
        return device.put(copy) if is_on_device(tensor) else copy

    def numpy(tensor: Tensor, **how: Any) -> Any:
        if is_on_device(tensor):
            raise TypeError(
                f"can't convert {DEVICE} device type tensor to numpy. "
                "Use Tensor.cpu() to copy the tensor to host memory first."
            )
        return TensorBase.numpy(tensor, **how)

    return {
        "device": property(device_of),
        "is_cuda": property(is_on_device),
        "is_cpu": property(lambda tensor: tensor.device.type == HOST.type),
        "get_device": lambda tensor: DEVICE.index if is_on_device(tensor) else -1,
        "to": to,
        "cuda": lambda tensor, device=None, **how: tensor.to(device or DEVICE, **how),
        "cpu": lambda tensor, **how: tensor.to(HOST, **how),
        "tolist": lambda tensor: TensorBase.tolist(tensor.to(HOST)),
        "numpy": numpy,
        "new_tensor": new_tensor,
        "__deepcopy__": copied,
        "pin_memory": lambda tensor: pin(tensor.clone()),
        "is_pinned": is_pinned,
    }


class _Move(torch.autograd.Function):
    """A copy on the other side, whose gradients come back."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, device: Device, waits: bool) -> Tensor:
        ctx.device = device
        to_device = not is_on_device(tensor)
        device.note_copy("to", tensor, to_device=to_device, waits=waits)
        with torch._C._DisableTorchDispatch():
            copy = tensor.detach().clone()
        return device.put(copy) if to_device else copy

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _Move.apply(gradients[0], ctx.device, True), None, None


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _check_workspace() -> None:
    """Raise torch's RuntimeError where products must be deterministic and cuBLAS has not been told so."""
    if not torch.are_deterministic_algorithms_enabled() or "CUBLAS_WORKSPACE_CONFIG" in os.environ:
        return
    raise RuntimeError(
        "Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` or "
        "`at::Context::setDeterministicAlgorithms(true)`, but this operation is not deterministic because it "
        "uses CuBLAS and you have CUDA >= 10.2."
    )


def _is_cuda(device: torch.device | str | None) -> bool:
    """Whether the device is meant, with or without its index; there is no second."""
    if device is None or torch.device(device).type != DEVICE.type:
        return False
    if torch.device(device).index not in (None, DEVICE.index):
        raise RuntimeError("CUDA error: invalid device ordinal")
    return True


def _forget() -> None:
    """Empty the caches of what was found without the device, or with it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in CACHING:
            for value in list(vars(module).values()):
                if type(value) is _lru_cache_wrapper:
                    value.cache_clear()
