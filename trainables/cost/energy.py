"""Joules, where the hardware counts them: a GPU through NVML, Intel and AMD processors through RAPL.

The hardware counts the whole device: each of several trials that share one is charged for all.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

POWERCAP = Path("/sys/class/powercap")
MOST_WATTS = 1_000
"""No processor package draws more, so a counter cannot wrap within `range / MOST_WATTS` seconds."""


class Rapl:
    """Joules of all processor packages since the first reading, from Linux's powercap counters.

    A counter starts again at `max_energy_range_uj`. A gap between readings in which it might have done so
    more than once makes the figure unknown for good.
    """

    def __init__(self, root: Path = POWERCAP, clock: Callable[[], float] = time.monotonic) -> None:
        # `intel-rapl:0` is a package, also of AMD; `intel-rapl:0:0` is a part of it, `psys` the sum.
        found = sorted(root.glob("intel-rapl:[0-9]*"))
        packages = [f for f in found if f.name.count(":") == 1 and _read(f / "name").startswith("package")]
        self._counters = [folder / "energy_uj" for folder in packages]
        self._ranges = [int(_read(folder / "max_energy_range_uj") or 0) for folder in packages]
        self._clock = clock
        self._total: int | None = 0 if packages else None
        self._last = [_read(counter) for counter in self._counters]
        self._read_at = clock()

    def joules(self) -> float | None:
        """Return joules so far; None if no counter is readable: since 2020 most systems require root."""
        now, values = self._clock(), [_read(counter) for counter in self._counters]
        gap = now - self._read_at
        is_known = all(values) and all(self._last) and all(gap * MOST_WATTS * 1e6 < r for r in self._ranges)
        if self._total is not None:
            self._total = self._total + self._added(values) if is_known else None
        self._last, self._read_at = values, now
        return None if self._total is None else self._total / 1e6

    def keep_up(self) -> None:
        """Read the counters, now and then: they start again every few minutes."""
        self.joules()

    def _added(self, values: list[str]) -> int:
        steps = zip(self._last, values, self._ranges, strict=True)
        return sum((int(now) - int(before)) % (most + 1) for before, now, most in steps)


class Nvml:
    """Joules of one NVIDIA GPU since its driver was loaded (Volta and later)."""

    def __init__(self, device: torch.device) -> None:
        self._handle = _nvml_handle(device)

    def joules(self) -> float | None:
        """Return joules so far; None where the GPU does not count them."""
        import pynvml

        if self._handle is None:
            return None
        try:
            return pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) / 1e3
        except pynvml.NVMLError:
            return None

    def keep_up(self) -> None:
        """Do nothing: the driver's counter does not start again."""


def counter(device: torch.device) -> Nvml | Rapl:
    """Return the energy counter of `device`."""
    return Nvml(device) if device.type == "cuda" else Rapl()


def _nvml_handle(device: torch.device) -> Any:
    """Find the GPU by UUID: NVML numbers all GPUs, torch only those that the process may see."""
    import pynvml

    try:
        pynvml.nvmlInit()
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
        return pynvml.nvmlDeviceGetHandleByUUID(uuid)
    except pynvml.NVMLError:
        return None


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
