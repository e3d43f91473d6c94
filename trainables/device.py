"""The device that a process trains on, chosen in one place; and why torch does not see one that is there."""

import os

import pynvml
import torch

from trainables.errors import GpuNotSeen

REMEDY = (
    "Install a build of torch for that driver (https://pytorch.org/get-started/locally/), or the driver; "
    "or set resources.gpus_per_trial to 0, to train on CPUs"
)


def own_device() -> torch.device:
    """Return the GPU that this process may use, with its index for torch.cuda's functions; else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


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


def check_gpu_is_seen() -> None:
    """Of a process that was given a GPU: else it would train on the CPU, and be charged for a GPU.

    Raises:
        GpuNotSeen: torch sees none.
    """
    if why := why_blind():
        raise GpuNotSeen(why)


def why_blind() -> str | None:
    """That torch sees no GPU, with its build, the driver and the remedy; None where it sees one."""
    if torch.cuda.is_available():
        return None
    toolkit = torch.version.cuda or torch.version.hip
    built = f"built for {toolkit}" if toolkit else "built without CUDA"
    return f"torch {torch.__version__} ({built}) sees no GPU, and Ray counts on one; {_driver()}. {REMEDY}."


def _driver() -> str:
    try:
        pynvml.nvmlInit()
        version = pynvml.nvmlSystemGetDriverVersion()
        cuda = pynvml.nvmlSystemGetCudaDriverVersion()
    except pynvml.NVMLError as error:
        return f"no NVIDIA driver answers ({error})"
    return f"the NVIDIA driver is {version}, for CUDA up to {cuda // 1000}.{cuda % 1000 // 10}"
