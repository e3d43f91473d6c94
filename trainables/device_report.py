"""What torch says of itself and of the devices that this process may train on, in plain data."""

import torch
from pydantic import BaseModel, ConfigDict

from trainables.device import accelerator, counts_memory, own_device
from trainables.model import precision_on


class GpuReport(BaseModel):
    """One GPU that torch sees."""

    model_config = ConfigDict(frozen=True)

    name: str
    free_bytes: int | None
    """None where the device has the machine's memory."""
    total_bytes: int | None
    error: str = ""
    """Why nothing can be computed on it; empty where it can."""


class DeviceReport(BaseModel):
    """The build of torch, its GPUs and the precision that `precision: auto` comes to."""

    model_config = ConfigDict(frozen=True)

    torch: str
    toolkit: str
    """For which CUDA or ROCm it was built; empty for a CPU build."""
    gpus: tuple[GpuReport, ...]
    precision: str
    """bf16 or fp32."""


def report() -> DeviceReport:
    """Look at every GPU that torch sees. To import this module takes all that a trial imports."""
    kind = own_device().type
    count = 0 if kind == "cpu" else torch.get_device_module(kind).device_count()
    cuda, hip = torch.version.cuda, torch.version.hip
    return DeviceReport(
        torch=torch.__version__,
        toolkit=f"CUDA {cuda}" if cuda else f"ROCm {hip}" if hip else "",
        gpus=tuple(_gpu(torch.device(kind, index)) for index in range(count)),
        precision=precision_on(own_device()),
    )


def _gpu(device: torch.device) -> GpuReport:
    name = str(device)
    try:
        described = accelerator(device)
        name = name if described is None else described.name
        module = torch.get_device_module(device)
        free, total = module.mem_get_info(device) if counts_memory(device) else (None, None)
        torch.ones(8, 8, device=device).sum().item()
    except RuntimeError as error:  # broken, taken by another process, or not what torch was built for
        return GpuReport(name=name, free_bytes=None, total_bytes=None, error=str(error).partition("\n")[0])
    return GpuReport(name=name, free_bytes=free, total_bytes=total)
