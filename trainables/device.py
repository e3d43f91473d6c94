"""The device that a process trains on, chosen in one place; and why torch does not see one that is there."""

import pynvml
import torch

REMEDY = (
    "Install a build of torch for that driver (https://pytorch.org/get-started/locally/), or the driver; "
    "or set resources.gpus_per_trial to 0, to train on CPUs"
)


def own_device() -> torch.device:
    """Return the GPU that this process may use, with its index for torch.cuda's functions; else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def smallest_gpu_bytes() -> int:
    """Return the memory of the smallest GPU that this process sees."""
    gpus = range(torch.cuda.device_count())
    return min(torch.cuda.get_device_properties(index).total_memory for index in gpus)


def limit_memory(share: float, context_bytes: int) -> None:
    """Leave torch a share of its GPU's memory, less what the process's CUDA context takes of that share.

    Beyond, torch raises OutOfMemoryError here, before the processes beside it lack memory.
    """
    device = own_device()
    context = context_bytes / torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(max(share - context, share / 2), device)


def why_blind() -> str | None:
    """That torch sees no GPU, with its build, the driver and the remedy; None where it sees one."""
    if torch.cuda.is_available():
        return None
    toolkit = torch.version.cuda or torch.version.hip
    built = f"built for {toolkit}" if toolkit else "built without CUDA"
    return f"torch {torch.__version__} ({built}) sees no GPU, and Ray counts on one; {_driver()}. {REMEDY}."


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


def _driver() -> str:
    try:
        pynvml.nvmlInit()
        version = pynvml.nvmlSystemGetDriverVersion()
        cuda = pynvml.nvmlSystemGetCudaDriverVersion()
    except pynvml.NVMLError as error:
        return f"no NVIDIA driver answers ({error})"
    return f"the NVIDIA driver is {version}, for CUDA up to {cuda // 1000}.{cuda % 1000 // 10}"
