"""Joules, where a GPU counts them, through NVML.

The hardware counts the whole device: each of several trials that share one is charged for all.
"""

import pynvml
import torch

from trainables.device import nvml_handle


class EnergyCounter:
    """Joules of one NVIDIA GPU since its driver was loaded (Volta and later)."""

    def __init__(self, device: torch.device) -> None:
        self._handle = nvml_handle(device) if device.type == "cuda" else None

    def joules(self) -> float | None:
        """Return joules so far; None where the device does not count them."""
        if self._handle is None:
            return None
        try:
            return pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) / 1e3
        except pynvml.NVMLError:
            return None
