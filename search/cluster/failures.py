"""Classify worker failures from Ray's error text, which is all that Ray keeps of them."""

import errno
import re
from typing import Literal

from search.cluster.nodes import CODE, NEEDED

RETRIES = 2
"""How often a failed trial is restarted from its checkpoint."""
DEVICE_FAILURES = 3
"""How often the device may fail under a trial, or under the preflight checks of a method."""
FailureKind = Literal["failure", "preemption", "device failure", "full disk", "out of memory", "Ray lost"]

TAKEN_AWAY = (
    "its node has died",
    "node was terminated",
    "node was preempted",
    "received a SIGTERM",
    "receives a SIGTERM",
    "The actor is temporarily unavailable",
)
"""Ray's phrases for an actor that died because its machine did. The last one comes before Ray has noticed
that: of a worker that died alone it hears at once."""
OWNER_DIED = "its owner has died"
"""This driver owns all actors: if Ray reports the owner's death, it has lost the node that the driver is
on."""
TASK = "ray::"
"""Start of Ray's traceback of a task; an actor's death has none."""
NO_SPACE = ("No space left on device", "Disk quota exceeded", "OutOfDiskError")
"""Messages of ENOSPC and EDQUOT in errors of Python and safetensors, and the name of Ray's own error."""
NO_SPACE_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
NO_MEMORY = "running low on memory"
"""Phrase of Ray's memory monitor when it kills a worker."""

MAY_GO_ON_ELSEWHERE = ("Preempted", "GpuNotSeen")
"""Errors of `trainables` that another machine cures."""
BLIND = re.compile(r"GpuNotSeen: (.*) \(node (\w+)\)$")
"""The last line of a trial whose GPU torch did not see: why, and the id of the node."""
DEVICE_FAILED = "DeviceFailed"
"""The error that a new process cures."""
OUT_OF_MEMORY = "out_of_memory.OutOfMemory"
"""The error of a trial that ran out of memory before it could report it as a result."""
CANNOT_TRAIN = re.compile(f"ModuleNotFoundError: No module named '({'|'.join((*CODE, *NEEDED))})'")
"""Last traceback line of a trial on a node that joined without a needed package, before that was known."""


class SweepFailed(RuntimeError):
    """The sweep could not go on; its records are whole, and `tuneoff resume` takes it up again."""


class RayLost(SweepFailed):
    """Ray itself has died, or hangs: no trial and no method is at fault."""


def failure_kind(error: str) -> FailureKind:
    """Classify a failure by a task's traceback or Ray's description of an actor's death.

    Only the last line of a traceback counts: the others quote source code and messages.
    """
    lines = error.strip().splitlines() or [""]
    if any(TASK in line for line in lines[:2]):
        return _of_traceback(lines[-1])
    if NO_MEMORY in error:
        return "out of memory"
    if OWNER_DIED in error:
        return "Ray lost"
    return "preemption" if any(sign in error for sign in TAKEN_AWAY) else "failure"


def no_space(error: str) -> str | None:
    """Find the line that says that a disk is full; None if there is none."""
    return next((line.strip() for line in error.splitlines() if any(sign in line for sign in NO_SPACE)), None)


def _of_traceback(last: str) -> FailureKind:
    if no_space(last):
        return "full disk"
    name = last.partition(":")[0]
    if name.endswith(DEVICE_FAILED):
        return "device failure"
    if name.endswith(OUT_OF_MEMORY):
        return "out of memory"
    may_go_on_elsewhere = name.endswith(MAY_GO_ON_ELSEWHERE) or CANNOT_TRAIN.match(last)
    return "preemption" if may_go_on_elsewhere else "failure"


def blind_node(error: str) -> tuple[str, str] | None:
    """Extract why a trial saw no GPU, and the id of the node it was on; None for any other error."""
    found = BLIND.search(error.strip())
    return (found[1], found[2]) if found else None


def memory_message(error: str) -> str:
    """Extract the line with the figures: out of the memory monitor's advice, or the last of a traceback."""
    lines = error.strip().splitlines()
    monitored = next((line for line in lines if NO_MEMORY in line), None)
    return lines[-1].partition(": ")[2] if monitored is None else monitored.rpartition("exception: ")[2]


def left_no_space(error: BaseException | None) -> bool:
    """Tell whether an error, or a cause of it, is a full disk."""
    if error is None:
        return False
    if isinstance(error, OSError) and error.errno in NO_SPACE_NUMBERS:
        return True
    return left_no_space(error.__cause__ or error.__context__)


def ray_is_lost(why: str) -> RayLost:
    """Build the RayLost for the reason `why`."""
    return RayLost(f"Ray is lost: {why}. No trial is charged with it.")


def node_is_lost() -> RayLost:
    """Build the RayLost for the loss of this process's own node."""
    return ray_is_lost("its raylet on this machine was killed, or hangs")


def no_gpu_is_left(why: str) -> SweepFailed:
    """Return the error of a sweep whose trials can be given no GPU any more."""
    return SweepFailed(
        f"No GPU is left for trials: {why} Every finished rung is kept: mend that, or start Ray without the "
        "GPU that is lost (CUDA_VISIBLE_DEVICES), then go on."
    )


def disk_is_full(where: object, cause: str) -> SweepFailed:
    """Build the SweepFailed for a full disk; `where` is the folder, `cause` the text of the error."""
    return SweepFailed(
        f"No space is left for {where} ({cause}). Every finished rung is kept: make room, then go on."
    )
