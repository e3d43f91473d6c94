"""Joules, where the hardware counts them: a GPU through NVML, Intel and AMD processors through RAPL.

What the hardware counts is the whole device: of trials that share one, each is charged for all.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

POWERCAP = Path("/sys/class/powercap")
MOST_WATTS = 1_000
"""No processor package draws more: so long as `range / MOST_WATTS` seconds its counter is sure to last."""


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
        """None where no counter can be read: since 2020 most systems let only root do so."""
        now, values = self._clock(), [_read(counter) for counter in self._counters]
        gap = now - self._read_at
        is_known = all(values) and all(self._last) and all(gap * MOST_WATTS * 1e6 < r for r in self._ranges)
        if self._total is not None:
            self._total = self._total + self._added(values) if is_known else None
        self._last, self._read_at = values, now
        return None if self._total is None else self._total / 1e6

    def _added(self, values: list[str]) -> int:
        steps = zip(self._last, values, self._ranges, strict=True)
        return sum((int(now) - int(before)) % (most + 1) for before, now, most in steps)


class Nvml:
    """Joules of one NVIDIA GPU since its driver was loaded (Volta and later)."""

    def __init__(self, device: torch.device) -> None:
        self._handle = _nvml_handle(device)

    def joules(self) -> float | None:
        """None where the GPU does not count."""
        import pynvml

        if self._handle is None:
            return None
        try:
            return pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) / 1e3
        except pynvml.NVMLError:
            return None


def counter(device: torch.device) -> Nvml | Rapl:
    """What counts the joules of `device`."""
    return Nvml(device) if device.type == "cuda" else Rapl()


def _nvml_handle(device: torch.device) -> Any:
    """By its UUID: NVML numbers all GPUs, torch those that the process may see."""
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
