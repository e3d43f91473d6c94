"""The device that a process trains on, chosen in one place; what it is; why torch does not see it."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import pynvml
import torch

from trainables.accelerator import Accelerator

T = TypeVar("T")

REMEDY = (
    "Install a build of torch for that driver (https://pytorch.org/get-started/locally/), or the driver; "
    "or set resources.gpus_per_trial to 0, to train on CPUs"
)


def own_device() -> torch.device:
    """Return the GPU that this process may use, with its index for the functions of torch.cuda; else the CPU.

    `cuda` is NVIDIA's and AMD's, `xpu` Intel's, `mps` Apple's. An empty CUDA_VISIBLE_DEVICES, by which Ray's
    workers are told that they were given none, holds for all of them.
    """
    found = torch.accelerator.current_accelerator(check_available=True)
    if found is None or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return torch.device("cpu")
    return torch.device(found.type, torch.accelerator.current_device_index())


def counts_memory(device: torch.device) -> bool:
    """Return whether `device` has memory of its own, of which torch keeps statistics.

    A CPU and Apple's GPU have the machine's; what the latter takes of it at its peak nobody tells.
    """
    return device.type in ("cuda", "xpu")


def computes_in_bf16(device: torch.device) -> bool:
    """Return whether the hardware of `device` multiplies matrices in bf16."""
    if device.type == "cpu":
        return any(torch.cpu.get_capabilities().get(flag) for flag in ("avx512_bf16", "amx_bf16"))
    if device.type == "mps":
        return False
    supported: bool = torch.get_device_module(device).is_bf16_supported(including_emulation=False)
    return supported


def accelerators() -> list[Accelerator]:
    """Describe every GPU that this process sees."""
    kind = own_device().type
    count = 0 if kind == "cpu" else torch.get_device_module(kind).device_count()
    found = [accelerator(torch.device(kind, index)) for index in range(count)]
    return [one for one in found if one is not None]


def accelerator(device: torch.device) -> Accelerator | None:
    """Describe `device` as it is now; None for a CPU."""
    if device.type == "cpu":
        return None
    if device.type == "mps":
        return Accelerator(name=torch.backends.mps.get_name())
    name = torch.get_device_module(device).get_device_name(device)
    if device.type != "cuda":
        return Accelerator(name=name)
    handle = nvml_handle(device)
    compute = _answer(lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(handle))
    clients = _answer(lambda: pynvml.nvmlDeviceGetMPSComputeRunningProcesses(handle))
    cudnn = torch.backends.cudnn.version()
    return Accelerator(
        name=name,
        driver=_answer(pynvml.nvmlSystemGetDriverVersion),
        cuda=torch.version.cuda or torch.version.hip,
        cudnn=None if cudnn is None else _cudnn(cudnn),
        is_mig=_answer(lambda: bool(pynvml.nvmlDeviceIsMigDeviceHandle(handle))),
        is_mps=None if clients is None else bool(clients),
        processes=len(clients or compute or ()) or None,  # none: a container does not see those of its host
    )


def nvml_handle(device: torch.device) -> Any:
    """Find the GPU by UUID: NVML numbers all GPUs, torch only those that the process may see.

    None where NVML does not know it: on AMD, or without a driver that answers.
    """
    uuid = torch.cuda.get_device_properties(device).uuid
    for kind in ("GPU", "MIG"):
        try:
            pynvml.nvmlInit()
            return pynvml.nvmlDeviceGetHandleByUUID(f"{kind}-{uuid}")
        except pynvml.NVMLError:
            continue
    return None


def _answer(ask: Callable[[], T]) -> T | None:
    """What NVML answers; None where this driver, or this device, does not."""
    try:
        return ask()
    except pynvml.NVMLError:
        return None


def _cudnn(version: int) -> str:
    """Write the number that cuDNN has for its version: 91002 is 9.10.2, 8907 was 8.9.7."""
    major = 10_000 if version >= 90_000 else 1_000
    return f"{version // major}.{version % major // 100}.{version % 100}"


def set_deterministic(deterministic: bool) -> None:
    """Have this process compute the same bits each time, or whatever is fastest.

    To be called before anything is computed on a GPU: cuBLAS reads the size of its workspace once. What has
    no deterministic algorithm on the device then raises torch's RuntimeError; see `lacks_determinism`.
    """
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        os.environ.setdefault("FLASH_ATTENTION_DETERMINISTIC", "1")  # which transformers reads
    torch.use_deterministic_algorithms(deterministic)


def lacks_determinism(error: Exception) -> str | None:
    """Return the operation that has no deterministic algorithm; None for any other error."""
    operation, told, _ = str(error).partition(" does not have a deterministic implementation")
    return operation if told else None


def smallest_gpu_bytes() -> int | None:
    """Return the memory of the smallest GPU that this process sees; None where torch does not count it."""
    device = own_device()
    if not counts_memory(device):
        return None
    module = torch.get_device_module(device)
    return min(module.get_device_properties(gpu).total_memory for gpu in range(module.device_count()))


def limit_memory(share: float, context_bytes: int) -> None:
    """Leave torch a share of its NVIDIA or AMD GPU's memory, less what the process's context takes of it.

    Beyond, torch raises OutOfMemoryError here, before the processes beside it lack memory.
    """
    device = own_device()
    if device.type != "cuda":
        return
    context = context_bytes / torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(max(share - context, share / 2), device)


def why_blind(sign: str = "Ray counts on one") -> str | None:
    """That torch sees no GPU, with its build, the driver and the remedy; None where it sees one.

    `sign` is what says that there is one.
    """
    if own_device().type != "cpu":
        return None
    toolkit = torch.version.cuda or torch.version.hip
    built = f"built for {toolkit}" if toolkit else "built without CUDA"
    return f"torch {torch.__version__} ({built}) sees no GPU, and {sign}; {driver()}. {REMEDY}."


def why_broken() -> str | None:
    """Return the error that CUDA answers each call of this process with; None where the device works.

    After an illegal memory access, a failed assert of a kernel or a fault of the hardware the context of the
    process is lost, and only a new process gets another one.
    """
    if not torch.cuda.is_initialized():
        return None
    try:
        torch.cuda.synchronize()
    except RuntimeError as error:
        return str(error).partition("\n")[0]
    return None


def driver() -> str:
    """Return the version of the NVIDIA driver, or why none answers, in words."""
    try:
        pynvml.nvmlInit()
        version = pynvml.nvmlSystemGetDriverVersion()
        cuda = pynvml.nvmlSystemGetCudaDriverVersion()
    except pynvml.NVMLError as error:
        return f"no NVIDIA driver answers ({error})"
    return f"the NVIDIA driver is {version}, for CUDA up to {cuda // 1000}.{cuda % 1000 // 10}"
