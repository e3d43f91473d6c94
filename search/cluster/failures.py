"""What ended a worker: told from the text of the error that Ray hands over, all that it keeps of it."""

import errno
import re
from typing import Literal

from search.cluster.nodes import CODE, NEEDED

RETRIES = 2
"""How often a trial that fails is taken up again from its checkpoint."""
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
"""By which Ray says that an actor died of its machine's death, not of its own; the last of them before it has
noticed that: of a worker that died alone it hears at once."""
OWNER_DIED = "its owner has died"
"""The owner of all actors is this driver: where it hears that it has died, Ray has lost the node it is on."""
TASK = "ray::"
"""How Ray's traceback of a task begins; an actor's death has none."""
NO_SPACE = ("No space left on device", "Disk quota exceeded", "OutOfDiskError")
"""As the C library names ENOSPC and EDQUOT, in Python's errors and in safetensors'; and Ray's own error."""
NO_SPACE_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
NO_MEMORY = "running low on memory"
"""As Ray's memory monitor says why it killed a worker."""

MAY_GO_ON_ELSEWHERE = ("Preempted", "GpuNotSeen")
"""Errors of `trainables` for which another machine is the remedy."""
BLIND = re.compile(r"GpuNotSeen: (.*) \(node (\w+)\)$")
"""The last line of a trial whose GPU torch did not see: why, and the id of the node."""
DEVICE_FAILED = "DeviceFailed"
"""The error for which a new process is the remedy."""
OUT_OF_MEMORY = "out_of_memory.OutOfMemory"
"""The error of a trial that ran out of memory before it could report it as a result."""
CANNOT_TRAIN = re.compile(f"ModuleNotFoundError: No module named '({'|'.join((*CODE, *NEEDED))})'")
"""The last line of a trial on a node that joined without what others have, before that was known of it."""


class SweepFailed(RuntimeError):
    """The sweep could not go on; its records are whole, and `tuneoff resume` takes it up again."""


class RayLost(SweepFailed):
    """Ray itself has died, or hangs: no trial and no method is at fault."""


def failure_kind(error: str) -> FailureKind:
    """Whose fault it was, from a traceback of a task or from the description of an actor's death.

    A traceback is told by its last line only, for it quotes source code and messages of others.
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
    """The line that says that a disk is full; None where none does."""
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
    """Why a trial saw no GPU, and the id of the node it was on; None for any other error."""
    found = BLIND.search(error.strip())
    return (found[1], found[2]) if found else None


def memory_message(error: str) -> str:
    """The line with the numbers: out of the advice of Ray's memory monitor, or the last of a traceback."""
    lines = error.strip().splitlines()
    monitored = next((line for line in lines if NO_MEMORY in line), None)
    return lines[-1].partition(": ")[2] if monitored is None else monitored.rpartition("exception: ")[2]


def left_no_space(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, says that no space is left on a disk."""
    if error is None:
        return False
    if isinstance(error, OSError) and error.errno in NO_SPACE_NUMBERS:
        return True
    return left_no_space(error.__cause__ or error.__context__)


def ray_is_lost(why: str) -> RayLost:
    """What to raise of it."""
    return RayLost(f"Ray is lost: {why}. No trial is charged with it.")


def node_is_lost() -> RayLost:
    """The same, of the node that this process is on."""
    return ray_is_lost("its raylet on this machine was killed, or hangs")


def no_gpu_is_left(why: str) -> SweepFailed:
    """Return the error of a sweep whose trials can be given no GPU any more."""
    return SweepFailed(
        f"No GPU is left for trials: {why} Every finished rung is kept: mend that, or start Ray without the "
        "GPU that is lost (CUDA_VISIBLE_DEVICES), then go on."
    )


def disk_is_full(where: object, cause: str) -> SweepFailed:
    """What to raise of it."""
    return SweepFailed(
        f"No space is left for {where} ({cause}). Every finished rung is kept: make room, then go on."
    )
