"""The device behind `tests/shadow_cuda.py`: its memory, its random numbers, and what it counts."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch._C import TensorBase

ROOT = Path(__file__).parents[1]
PACKAGES = ("trainables", "search", "benchmarks")
DEVICE, HOST = torch.device("cuda", 0), torch.device("cpu")

Kind = Literal[
    "kernel", "synchronisation", "copy to the device", "copy to the host", "pageable copy", "mismatch"
]


class Event(NamedTuple):
    """Something that takes a GPU's time or makes the host wait for it, or that it would refuse."""

    kind: Kind
    operation: str
    """By torch's name for it."""
    line: str
    """The innermost line of tuneoff that caused it: `file:line function`."""


class Counts(Counter[Event]):
    """How often each event happened; a copy for which the host waits is a synchronisation too."""

    def of(self, kind: Kind) -> int:
        return sum(count for event, count in self.items() if event.kind == kind)

    def by_line(self, kind: Kind) -> Counter[str]:
        return self._by(Event._fields.index("line"), kind)

    def by_operation(self, kind: Kind) -> Counter[str]:
        return self._by(Event._fields.index("operation"), kind)

    def _by(self, field: int, kind: Kind) -> Counter[str]:
        found: Counter[str] = Counter()
        for event, count in self.items():
            if event.kind == kind:
                found[event[field]] += count
        return found


class Memory:
    """Bytes as torch's allocator counts them: in tensors, and reserved for the next ones."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.share = 1.0
        """Of it, what this process may have."""
        self.allocated = self.reserved = self.most_allocated = self.most_reserved = 0

    def hold(self, count: int) -> None:
        """So many more in tensors, or fewer.

        Raises:
            torch.OutOfMemoryError: there are not so many.
        """
        free = int(self.total * self.share) - self.allocated
        if count > max(free, 0):
            raise torch.OutOfMemoryError(
                f"CUDA out of memory. Tried to allocate {count / 2**20:.2f} MiB. GPU 0 has a total capacity "
                f"of {self.total / 2**30:.2f} GiB of which {free / 2**20:.2f} MiB is free."
            )
        self.allocated += count
        self.reserved = max(self.reserved, self.allocated)
        self.most_allocated = max(self.most_allocated, self.allocated)
        self.most_reserved = max(self.most_reserved, self.reserved)

    def forget_peaks(self) -> None:
        self.most_allocated, self.most_reserved = self.allocated, self.reserved

    def statistics(self) -> dict[str, Any]:
        """As `torch.cuda.memory_stats_as_nested_dict` has them."""
        return {
            "allocated_bytes": {"all": {"current": self.allocated, "peak": self.most_allocated}},
            "reserved_bytes": {"all": {"current": self.reserved, "peak": self.most_reserved}},
        }


class Block:
    """The memory of one storage, which refers to it: freed with it."""

    def __init__(self, memory: Memory, count: int) -> None:
        self._count = 0
        self._memory = memory
        memory.hold(count)
        self._count = count

    def __del__(self) -> None:
        self._memory.hold(-self._count)


class Device:
    """One GPU of so much memory."""

    def __init__(self, total_bytes: int = 80 * 2**30) -> None:
        self.memory = Memory(total_bytes)
        self.counts = Counts()
        self.generator = torch.Generator()
        """Of its random numbers, which are not the CPU's."""
        self.error: str | None = None
        """What every call is answered with once the context of the process is lost."""
        self.is_working = False
        """Whether what torch makes now without being told a device belongs to tensors of this one."""

    @contextmanager
    def working(self, is_working: bool) -> Iterator[None]:
        before, self.is_working = self.is_working, is_working
        try:
            yield
        finally:
            self.is_working = before

    @contextmanager
    def counting(self) -> Iterator[Counts]:
        """What happens in the block; known when it has ended."""
        before, here = Counts(self.counts), Counts()
        yield here
        here.update(self.counts - before)

    def lose_context(self, error: str) -> None:
        """As after a kernel's failed assert: from now on nothing works."""
        self.error = error

    def check_context(self) -> None:
        """Raise torch.AcceleratorError where it is lost."""
        if self.error is not None:
            raise torch.AcceleratorError(
                f"CUDA error: {self.error}\nCUDA kernel errors might be asynchronous"
            )

    def note(self, kind: Kind, operation: str) -> None:
        self.counts[Event(kind, operation, _line())] += 1

    def note_copy(self, operation: str, source: Tensor, *, to_device: bool, waits: bool = True) -> None:
        """A copy between host and device: from pageable memory unless `source` is pinned; none of nothing."""
        self.check_context()
        if not source.numel():
            return
        self.note("copy to the device" if to_device else "copy to the host", operation)
        if to_device and not is_pinned(source):
            self.note("pageable copy", operation)
        if waits:
            self.note("synchronisation", operation)

    def put(self, tensor: Tensor) -> Tensor:
        """Have the tensor's storage say that it is on the device."""
        if not is_on_device(tensor):
            owner = _owner(tensor)
            owner.block = Block(self.memory, owner.nbytes() if owner is not tensor else 0)
        return tensor

    def refuse_mixed(self, operation: str, tensors: Iterable[Tensor]) -> None:
        """Raise torch's RuntimeError unless all are on the device, or single numbers of the host."""
        if all(is_on_device(tensor) or tensor.dim() == 0 for tensor in tensors):
            return
        self.note("mismatch", operation)
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, {DEVICE} and "
            f"{HOST}! (when checking arguments of {operation})"
        )

    @contextmanager
    def own_random_numbers(self) -> Iterator[None]:
        """For the length of the block the CPU draws the device's."""
        of_cpu = torch.default_generator.get_state()
        torch.default_generator.set_state(self.generator.get_state())
        try:
            yield
        finally:
            self.generator.set_state(torch.default_generator.get_state())
            torch.default_generator.set_state(of_cpu)


def is_on_device(tensor: Tensor) -> bool:
    return hasattr(_owner(tensor), "block")


def is_pinned(tensor: Tensor) -> bool:
    return hasattr(_owner(tensor), "is_pinned_here")


def pin(tensor: Tensor) -> Tensor:
    """Have the tensor's storage say that its pages stay where they are."""
    _owner(tensor).is_pinned_here = True
    return tensor


def device_of(tensor: Tensor) -> torch.device:
    return DEVICE if is_on_device(tensor) else TensorBase.device.__get__(tensor)  # type: ignore[attr-defined]


def _owner(tensor: Tensor) -> Any:
    """What says where the tensor is: the storage that it shares with its views; a sparse one has none."""
    try:
        return tensor.untyped_storage()
    except NotImplementedError:
        return tensor


def _line() -> str:
    frame = sys._getframe(1)
    while frame is not None:
        file = _file_of_tuneoff(frame.f_code)
        if file is not None:
            return f"{file}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back
    return "elsewhere"


@cache
def _file_of_tuneoff(code: CodeType) -> str | None:
    file = Path(code.co_filename)
    if not file.is_relative_to(ROOT) or file.relative_to(ROOT).parts[0] not in PACKAGES:
        return None
    return file.relative_to(ROOT).as_posix()


def c_layer(device: Device) -> list[tuple[Any, dict[str, Any]]]:
    """What torch's Python code calls of the C layer below it, by the module where it looks for it."""
    memory = device.memory

    def share(index: int) -> float:
        assert index == DEVICE.index
        return memory.share

    def set_share(value: float, index: int) -> None:
        assert index == DEVICE.index
        memory.share = value

    def empty_cache() -> None:
        device.check_context()
        device.note("synchronisation", "empty_cache")
        memory.reserved = memory.allocated

    def synchronize() -> None:
        device.check_context()
        device.note("synchronisation", "synchronize")

    def memory_info(index: int) -> tuple[int, int]:
        device.check_context()
        return memory.total - memory.reserved, memory.total

    of_c = {
        "_accelerator_getAccelerator": lambda: torch.device(DEVICE.type),
        "_accelerator_getDeviceIndex": lambda: DEVICE.index,
        "_accelerator_getStream": lambda index: SimpleNamespace(is_capturing=lambda: False),
        "_cuda_getDeviceCount": lambda: 1,
        "_cuda_getDevice": lambda: DEVICE.index,
        "_cuda_getMemoryFraction": share,
        "_cuda_setMemoryFraction": set_share,
        "_cuda_memoryStats": lambda index: memory.statistics(),
        "_cuda_resetPeakMemoryStats": lambda index: memory.forget_peaks(),
        "_cuda_emptyCache": empty_cache,
        "_cuda_synchronize": synchronize,
        "_group_tensors_by_device_and_dtype": _grouping(torch._C._group_tensors_by_device_and_dtype),
    }
    runtime = SimpleNamespace(cudaMemGetInfo=memory_info)
    properties = SimpleNamespace(name="Shadow", major=9, minor=0, total_memory=memory.total, uuid="shadow")
    of_cuda = {
        "_initialized": True,
        "_cached_device_count": None,
        "_cudart": runtime,
        "_get_device_properties": lambda index: properties,
        "_exchange_device": lambda index: DEVICE.index,
        "_maybe_exchange_device": lambda index: DEVICE.index,
        "default_generators": (device.generator,),
    }

    class Event:
        """A place in the queue of work; the device never runs dry while there is work behind it."""

        def __init__(self, told: Any = None, **_: Any) -> None:
            self.work_before: int | None = None

        def record(self) -> None:
            self.work_before = device.counts.of("kernel")

        def synchronize(self) -> None:
            if device.counts.of("kernel") == self.work_before:
                device.note("synchronisation", "event")

    settings = ("is_autocast_enabled", "get_autocast_dtype", "set_autocast_enabled", "set_autocast_dtype")
    of_torch = {name: _of_the_cpu(getattr(torch, name)) for name in settings} | {"Event": Event}
    return [(torch._C, of_c), (torch.cuda, of_cuda), (torch, of_torch)]


def _grouping(group: Callable[..., dict[Any, Any]]) -> Callable[..., dict[Any, Any]]:
    """Groups by the device that tensors say: optimisers and clipping choose by it how they work."""

    def grouped(lists: list[list[Any]], with_indices: bool = False) -> dict[Any, Any]:
        groups = group(lists, with_indices)
        return {(device_of(found[0][0][0]), dtype): found for (_, dtype), found in groups.items()}

    return grouped


def _of_the_cpu(setting: Callable[..., Any]) -> Callable[..., Any]:
    """Autocast on the device is autocast on the CPU, where its tensors are."""

    def translated(device: str = DEVICE.type, *value: Any) -> Any:
        return setting(HOST.type if device == DEVICE.type else device, *value)

    return translated
