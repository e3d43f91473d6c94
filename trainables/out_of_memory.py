"""Running out of memory as a result: what was asked for, and a second attempt in smaller micro-batches."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

T = TypeVar("T")

SIGNS = (
    "CUDA out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "DefaultCPUAllocator: can't allocate memory",
    "std::bad_alloc",
)
"""By which a RuntimeError of torch is known, as by accelerate's `should_reduce_batch_size`."""
ASKED = re.compile(r"(?:tried to|unable to) allocate ([\d.]+) ?(bytes|[KMGT]iB)", re.IGNORECASE)
UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


class OutOfMemory(MemoryError):
    """A trial needs more memory than there is, also in smaller micro-batches; the message has the numbers."""


@dataclass(frozen=True)
class Shortage:
    """Memory ran out."""

    requested_bytes: int | None
    """What could not be had; None where the error does not say."""


def attempt(work: Callable[[], T]) -> T | Shortage:
    """What `work` returns, or that memory ran out.

    The error ends here: its traceback would hold on to the tensors of every frame it came through.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        found = shortage(error)
        if found is None:
            raise
    return found


def shortage(error: Exception) -> Shortage | None:
    """Whether an error says that memory ran out, on a GPU or on a CPU; None where it says something else."""
    is_one = isinstance(error, MemoryError | torch.OutOfMemoryError)
    if not is_one and not any(sign in str(error) for sign in SIGNS):
        return None
    asked = ASKED.search(str(error))
    return Shortage(round(float(asked[1]) * UNITS[asked[2]]) if asked else None)
