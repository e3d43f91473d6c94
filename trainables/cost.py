"""What a trial spends: parameters, seconds, bytes."""

import ctypes
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

CLEAR_PEAK = "5"
"""Written to /proc/self/clear_refs, it sets the peak resident size back to the present one (man proc)."""


class Meter:
    """Adds up a trial's seconds by what they were spent on, and watches its peak memory.

    On a GPU the peak is of the memory that torch allocated. On a CPU it is the growth of the process's
    resident memory over what it held when the trial began, with the memory of earlier trials given back.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds = {"startup_seconds": 0.0, "train_seconds": 0.0, "evaluation_seconds": 0.0}
        self._earlier_peak = 0
        release_memory()
        self._start = 0 if device.type == "cuda" else _resident_bytes("VmRSS")
        _reset_peak(device)

    @contextmanager
    def spending(self, name: str) -> Iterator[None]:
        """Add the block's seconds to `name`, the device's pending work included."""
        start = time.perf_counter()
        try:
            yield
        finally:
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            self.seconds[name] += time.perf_counter() - start

    @property
    def peak_memory_bytes(self) -> int | None:
        """The trial's peak, that of its earlier processes included; None where it cannot be read."""
        if self.device.type == "cuda":
            return max(self._earlier_peak, torch.cuda.max_memory_allocated(self.device))
        peak = _resident_bytes("VmHWM")
        return None if peak is None or self._start is None else max(self._earlier_peak, peak - self._start)

    def state(self) -> dict[str, float]:
        """What a later process must know to go on adding."""
        return {**self.seconds, "peak_memory_bytes": self.peak_memory_bytes or 0}

    def go_on_from(self, state: dict[str, float]) -> None:
        """Add to what an earlier process of the same trial spent."""
        for name in self.seconds:
            self.seconds[name] += state[name]
        self._earlier_peak = int(state["peak_memory_bytes"])


def release_memory() -> None:
    """Give memory of dropped objects back to the device and to the operating system."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)


def _reset_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif (switch := Path("/proc/self/clear_refs")).exists():
        switch.write_text(CLEAR_PEAK)


def _resident_bytes(name: str) -> int | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    for line in status.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return None
