"""How much memory a trial takes, how much there is, and giving it back."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psutil
import torch

CLEAR_PEAK = "5"
"""Written to /proc/self/clear_refs, it sets the peak resident size back to the present one (man proc)."""
COUNTING_ERROR_BYTES = 4 * 2**20
"""Linux counts resident pages a thread and adds them up now and then."""
SAMPLING_SECONDS = 0.02


class CudaPeak:
    """The largest memory that torch held on a GPU since this was made."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        release_memory()
        torch.cuda.reset_peak_memory_stats(device)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The device watches by itself."""
        yield

    @property
    def allocated_bytes(self) -> int:
        """In tensors."""
        return torch.cuda.max_memory_allocated(self.device)

    @property
    def reserved_bytes(self) -> int | None:
        """In tensors and in what torch keeps for the next ones: what other processes cannot have."""
        return torch.cuda.max_memory_reserved(self.device)


class ResidentPeak:
    """How far the resident memory of this process rose since this was made, above what it held then.

    What earlier trials left is given back first. The kernel keeps the peak and is asked to forget the
    earlier one; where it cannot (not Linux, a /proc that is read-only), a thread samples while `watching`.
    """

    reserved_bytes: int | None = None

    def __init__(self, clear_refs: Path = Path("/proc/self/clear_refs")) -> None:
        release_memory()
        self._is_kept = _forget_peak(clear_refs)
        self._start = psutil.Process().memory_info().rss
        self._sampled = self._start

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Sample for the length of the block, where the kernel keeps no peak."""
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


def peak(device: torch.device) -> CudaPeak | ResidentPeak:
    """The peak of the memory that trials on `device` take."""
    return CudaPeak(device) if device.type == "cuda" else ResidentPeak()


def release_memory() -> None:
    """Give memory of dropped objects back to the device and to the operating system."""
    gc.collect()
    torch.cuda.empty_cache()  # nothing where CUDA was not used
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)


def limit_bytes(device: torch.device) -> int:
    """The memory that a process can have at most on `device`: the least of what the system tells.

    On a GPU its size, or the share of it that torch was given; on a CPU the machine's memory, the
    control group's, or the address space of the process.
    """
    if device.type == "cuda":
        share = torch.cuda.get_per_process_memory_fraction(device)
        return int(torch.cuda.get_device_properties(device).total_memory * share)
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
    """Ask the kernel for a new peak; whether it has one now."""
    try:
        clear_refs.write_text(CLEAR_PEAK)
    except OSError:
        return False
    high, resident = _high_water_bytes(), psutil.Process().memory_info().rss
    return high is not None and high - resident < COUNTING_ERROR_BYTES


def _high_water_bytes() -> int | None:
    """The process's peak resident memory, as Linux counts it."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)
