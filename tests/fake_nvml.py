"""A driver's NVML, as pynvml gives access to it, where there is no GPU."""

from dataclasses import dataclass, field

import pynvml
import pytest


@dataclass
class FakeNvml:
    """One GPU, or a MIG instance, by the UUID that `tests/shadow_cuda.py` says it has."""

    driver: str = "570.86.15"
    cuda: int = 12080
    prefix: str = "GPU-"
    """Of the UUID; `MIG-` of an instance."""
    compute: list[int] = field(default_factory=lambda: [1])
    """Processes that compute on it; where MPS runs its server is one of them."""
    mps: list[int] = field(default_factory=list)
    """Clients of MPS, or what this driver answers instead."""
    does_not_know: tuple[str, ...] = ()
    """Functions that this driver, or this kind of device, has not."""

    def plant(self, patch: pytest.MonkeyPatch) -> None:
        answers = {
            "nvmlInit": lambda: None,
            "nvmlSystemGetDriverVersion": lambda: self.driver,
            "nvmlSystemGetCudaDriverVersion": lambda: self.cuda,
            "nvmlDeviceGetHandleByUUID": self._handle,
            "nvmlDeviceIsMigDeviceHandle": lambda handle: handle.startswith("MIG-"),
            "nvmlDeviceGetComputeRunningProcesses": lambda handle: self.compute,
            "nvmlDeviceGetMPSComputeRunningProcesses": lambda handle: self.mps,
        }
        for name, answer in answers.items():
            patch.setattr(pynvml, name, _unknown if name in self.does_not_know else answer)

    def _handle(self, uuid: str) -> str:
        if uuid != f"{self.prefix}shadow":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return uuid


def _unknown(*arguments: object) -> None:
    raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
