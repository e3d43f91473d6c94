"""How much memory a trial may take on the device that it would train on."""

import sys

import psutil
import torch

from trainables.cost.memory import limit_bytes
from trainables.device import counts_memory

SHARE_USED = {"gpu": 0.95, "cpu": 0.8}
"""The rest is lost between the blocks of an allocator. torch's own for GPUs loses little; the peaks of
resident memory were seen to vary by a fifth."""


def room_bytes(device: torch.device, share: float, gpu_bytes: int | None = None) -> int:
    """Return the bytes that a trial's peak (see `Meter`) may take, given its `share` of the device.

    On a GPU all of torch's memory counts; on a CPU what is added to the process as it is now, whose size
    every other trial's process has as well. `gpu_bytes` is the memory of the smallest GPU that a trial may be
    given: where this one has more, the rest is not counted on.
    """
    if counts_memory(device):
        counts = torch.get_device_module(device)
        free, total = counts.mem_get_info(device)
        smaller_by = total - counted_on(device, gpu_bytes)
        own = free + counts.memory_reserved(device) - smaller_by
        limit = limit_bytes(device) - share * smaller_by
        return int(SHARE_USED["gpu"] * min(own, share * (total - smaller_by), limit))
    resident = psutil.Process().memory_info().rss
    machine = min(psutil.virtual_memory().available + resident, limit_bytes(device))
    return int(SHARE_USED["cpu"] * min(machine * share - resident, _address_space_left()))


def counted_on(device: torch.device, gpu_bytes: int | None) -> int:
    """Return the memory of this GPU, or of the smallest that a trial may be given, where that is less."""
    _, total = torch.get_device_module(device).mem_get_info(device)
    return total if gpu_bytes is None else min(total, gpu_bytes)


def _address_space_left() -> int:
    """Return bytes left of `ulimit -v`, which limits what is mapped, not what is resident."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource  # not on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft - psutil.Process().memory_info().vms
