"""Running out of memory as a result: what was asked for, and a second attempt in smaller micro-batches."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

from trainables.amounts import number

T = TypeVar("T")

SIGNS = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "DefaultCPUAllocator: can't allocate memory",
    "std::bad_alloc",
)
"""Parts of the message of torch's RuntimeError, as in accelerate's `should_reduce_batch_size`; and of CUDA's
libraries, which take memory beside torch's: without any for its handle cuBLAS is "not initialized"."""
ASKED = re.compile(r"(?:tried to|unable to) allocate ([\d.]+) ?(bytes|[KMGT]iB)", re.IGNORECASE)
UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


class OutOfMemory(MemoryError):
    """A trial needs more memory than there is, also in smaller micro-batches; the message has the numbers."""


@dataclass(frozen=True)
class Shortage:
    """Memory ran out."""

    requested_bytes: int | None
    """Bytes that were requested; None where the error does not say."""

    def __str__(self) -> str:
        count = self.requested_bytes
        return f"requested {'unknown' if count is None else f'{number(count)} bytes'}"


def attempt(work: Callable[[], T]) -> T | Shortage:
    """Run `work`; return its result, or a `Shortage` if memory ran out.

    The error is not passed on: its traceback would keep the tensors of every frame alive.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        found = shortage(error)
        if found is None:
            raise
    return found


def shortage(error: Exception) -> Shortage | None:
    """Return the `Shortage` that an error reports, on a GPU or on a CPU; None for any other error."""
    is_one = isinstance(error, MemoryError | torch.OutOfMemoryError)
    if not is_one and not any(sign in str(error) for sign in SIGNS):
        return None
    asked = ASKED.search(str(error))
    return Shortage(round(float(asked[1]) * UNITS[asked[2]]) if asked else None)
