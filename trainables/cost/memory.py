"""Measure the memory that a trial takes and how much there is; release it."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psutil
import torch

from trainables.device import counts_memory, own_device

CLEAR_PEAK = "5"
"""Written to /proc/self/clear_refs, it resets the peak resident size to the current one (man proc)."""
COUNTING_ERROR_BYTES = 4 * 2**20
"""Error of the resident size: Linux counts pages per thread and adds them up now and then."""
SAMPLING_SECONDS = 0.02


class DevicePeak:
    """The largest GPU memory of torch since this object was made; None where torch does not count it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._counts = torch.get_device_module(device) if counts_memory(device) else None
        release_memory()
        if self._counts:
            self._counts.reset_peak_memory_stats(device)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Do nothing: torch records the peak itself."""
        yield

    @property
    def allocated_bytes(self) -> int | None:
        """Bytes in tensors."""
        return self._counts.max_memory_allocated(self.device) if self._counts else None

    @property
    def reserved_bytes(self) -> int | None:
        """Bytes in tensors and in torch's cache: what other processes cannot have."""
        return self._counts.max_memory_reserved(self.device) if self._counts else None


class ResidentPeak:
    """Growth of this process's resident memory since this object was made, at its peak.

    Memory of earlier trials is released first. The kernel records the peak and is asked to reset it;
    where it cannot (not Linux, a /proc that is read-only), a thread samples while `watching`.
    """

    reserved_bytes: int | None = None

    def __init__(self, clear_refs: Path = Path("/proc/self/clear_refs")) -> None:
        release_memory()
        self._is_kept = _forget_peak(clear_refs)
        self._start = psutil.Process().memory_info().rss
        self._sampled = self._start

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Sample the resident size within the block, where the kernel records no peak."""
        if self._is_kept:
            yield
            return
        done = Event()
        thread = Thread(target=self._sample, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    @property
    def allocated_bytes(self) -> int:
        peak = _high_water_bytes() if self._is_kept else self._sampled
        return max(0, (peak or self._start) - self._start)

    def _sample(self, done: Event) -> None:
        process, is_done = psutil.Process(), False
        while not is_done:
            self._sampled = max(self._sampled, process.memory_info().rss)
            is_done = done.wait(SAMPLING_SECONDS)


def peak(device: torch.device) -> DevicePeak | ResidentPeak:
    """Return the peak counter for trials on `device`."""
    return ResidentPeak() if device.type == "cpu" else DevicePeak(device)


def release_memory() -> None:
    """Return memory of dropped objects to the device and to the operating system."""
    gc.collect()
    device = own_device()
    if device.type != "cpu":
        torch.get_device_module(device).empty_cache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)


def limit_bytes(device: torch.device) -> int:
    """Return the most bytes a process can have on `device`: the lowest limit that the system reports.

    On a GPU with memory of its own its size, or the share of it that torch was given; else the machine's
    memory, the control group's, or the address space of the process.
    """
    if counts_memory(device):
        counts = torch.get_device_module(device)
        share = counts.get_per_process_memory_fraction(device)
        return int(counts.get_device_properties(device).total_memory * share)
    limits = [psutil.virtual_memory().total, _control_group_bytes(), _address_space_bytes()]
    return min(limit for limit in limits if limit is not None)


def _control_group_bytes() -> int | None:
    files = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    for file in map(Path, files):
        if file.is_file() and (text := file.read_text().strip()).isdigit():
            return int(text)
    return None


def _address_space_bytes() -> int | None:
    if sys.platform == "win32":
        return None
    import resource  # not on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def _forget_peak(clear_refs: Path) -> bool:
    """Ask the kernel to reset the peak; return whether it did."""
    try:
        clear_refs.write_text(CLEAR_PEAK)
    except OSError:
        return False
    high, resident = _high_water_bytes(), psutil.Process().memory_info().rss
    return high is not None and high - resident < COUNTING_ERROR_BYTES


def _high_water_bytes() -> int | None:
    """Return the process's peak resident bytes, as Linux counts them."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)
