"""Joules, where a GPU counts them, through NVML.

The hardware counts the whole device: each of several trials that share one is charged for all.
"""

from typing import Any

import torch


class EnergyCounter:
    """Joules of one NVIDIA GPU since its driver was loaded (Volta and later)."""

    def __init__(self, device: torch.device) -> None:
        self._handle = _nvml_handle(device) if device.type == "cuda" else None

    def joules(self) -> float | None:
        """Return joules so far; None where the device does not count them."""
        import pynvml

        if self._handle is None:
            return None
        try:
            return pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) / 1e3
        except pynvml.NVMLError:
            return None


def _nvml_handle(device: torch.device) -> Any:
    """Find the GPU by UUID: NVML numbers all GPUs, torch only those that the process may see."""
    import pynvml

    try:
        pynvml.nvmlInit()
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
        return pynvml.nvmlDeviceGetHandleByUUID(uuid)
    except pynvml.NVMLError:
        return None
