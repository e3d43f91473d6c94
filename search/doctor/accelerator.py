"""Torch, the GPUs that it sees and those that it does not, and what NVML says of them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pynvml

from search.doctor.finding import Finding, failed, passed, warned
from search.doctor.machine import GIB
from search.doctor.packages import REINSTALL
from trainables.amounts import size

if TYPE_CHECKING:
    from trainables.device_report import DeviceReport, GpuReport

BUSY_SHARE = 0.1
"""A GPU of which others hold more is not this sweep's alone."""
SMI_SECONDS = 10
DEVICES = Path("/dev")
HIDING = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")


def check_accelerator(counted: float) -> Iterator[Finding]:
    """Look at torch and its devices; `counted` are the GPUs that Ray counts on this machine."""
    try:
        from trainables.device_report import report

        found = report()
    except Exception as error:  # noqa: BLE001 (whatever keeps it from working is the finding)
        yield failed("torch", f"cannot be used: {type(error).__name__}: {error}", REINSTALL)
        return
    yield passed("torch", f"{found.torch}, built for {found.toolkit or 'CPUs only'}")
    yield _device(found, counted)
    yield from (_gpu(f"GPU {index}", gpu) for index, gpu in enumerate(found.gpus))
    yield passed("precision", f"{found.precision}, where task.precision is auto")
    yield check_nvml(needed=found.toolkit.startswith("CUDA") if found.gpus else counted > 0)


def _device(found: "DeviceReport", counted: float) -> Finding:
    """What trials would train on, and whether Ray and torch agree on it."""
    seen = len(found.gpus)
    if seen >= counted and seen:
        return passed("device", f"{seen} GPUs" if seen > 1 else "a GPU")
    if seen:
        remedy = "Start Ray with as many GPUs as torch sees: ray start --num-gpus."
        return failed("device", f"Ray counts {counted:g} GPUs, torch sees {seen}", remedy)
    sign = f"Ray counts {counted:g}" if counted else unseen_gpu()
    if sign:
        return _blind(sign, can_run=not counted)
    hidden = [f"{name}={os.environ[name]}" for name in HIDING if name in os.environ]
    return passed("device", f"CPU; {', '.join(hidden)} hides GPUs" if hidden else "CPU, no GPU is here")


def _blind(sign: str, *, can_run: bool) -> Finding:
    """That torch does not see a GPU; a sweep that Ray gives none trains on the CPU."""
    from trainables.device import REMEDY, why_blind

    message = (why_blind(sign) or "").removesuffix(f" {REMEDY}.").rstrip(".")
    verdict = warned if can_run else failed
    return verdict("device", message, f"{REMEDY}.")


def unseen_gpu() -> str:
    """A sign of an NVIDIA GPU on this machine that neither Ray nor torch sees; empty without any."""
    if any(name in os.environ for name in HIDING):
        return ""  # as the user wants it
    if listed := _listed():
        return f"nvidia-smi lists {listed}"
    files = sorted(str(file) for file in DEVICES.glob("nvidia[0-9]*"))
    return f"there is {files[0]}" if files else ""


def _listed() -> str:
    """The first GPU of nvidia-smi; empty where there is none, or no such command."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ""
    try:
        told = subprocess.run(
            [command, "-L"], capture_output=True, text=True, check=True, timeout=SMI_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return next((line for line in told.stdout.splitlines() if line.startswith("GPU")), "")


def _gpu(name: str, gpu: "GpuReport") -> Finding:
    if gpu.error:
        remedy = "End what else uses it (nvidia-smi), or install a build of torch for it."
        return failed(name, f"{gpu.name} computes nothing: {gpu.error}", remedy)
    message = f"{gpu.name}, {size(gpu.free_bytes)} free of {size(gpu.total_bytes)}"
    free, total = gpu.free_bytes or 0, gpu.total_bytes or 0
    if (held := total - free) > BUSY_SHARE * total + GIB:
        remedy = "End other processes on it (nvidia-smi), or choose another by CUDA_VISIBLE_DEVICES."
        return warned(name, f"{message}: others hold {size(held)}", remedy)
    return passed(name, message)


def check_nvml(*, needed: bool) -> Finding:
    """Ask NVML, by which Ray counts GPUs and energy is measured."""
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        exclusive = [i for i, handle in enumerate(handles) if _is_exclusive(handle)]
    except pynvml.NVMLError as error:
        if not needed:
            return passed("NVML", f"no NVIDIA driver answers ({error}); none is needed")
        remedy = "Install the driver's library libnvidia-ml: without it energy is not measured."
        return warned("NVML", f"does not answer ({error})", remedy)
    from trainables.device import driver

    if exclusive:
        remedy = "nvidia-smi -c DEFAULT as root, start MPS, or set resources.gpus_per_trial to 1."
        numbers = ", ".join(map(str, exclusive))
        return warned("NVML", f"GPU {numbers} takes one process only: trials cannot share it", remedy)
    return passed("NVML", f"{driver()}; {len(handles)} GPUs, energy {_energy(handles)}")


def _is_exclusive(handle: object) -> bool:
    return pynvml.nvmlDeviceGetComputeMode(handle) == pynvml.NVML_COMPUTEMODE_EXCLUSIVE_PROCESS


def _energy(handles: list[object]) -> str:
    try:
        for handle in handles:
            pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError:
        return "not counted"
    return "counted"
