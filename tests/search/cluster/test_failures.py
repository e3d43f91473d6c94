"""Whose fault it was, by the errors of Ray 2.60 as it writes them."""

import errno
import os

import pytest

from search.cluster.failures import blind_node, failure_kind, left_no_space, memory_message

pytestmark = pytest.mark.faults

DIED = """Failure # 1 (occurred at 2026-11-23_15-15-53)
The actor died unexpectedly before finishing this task.
\tclass_name: with_resources.<locals>.ResourceTrainable
\tactor_id: 1451a747edb95370368efda801000000
\tpid: 28514
\tip: 192.0.2.2
"""
NODE_TERMINATED = """The actor died because its node has died. Node Id: e075deee2d3e2715ac7b11461302e0a8
\tthe actor's node was terminated expectedly: received SIGTERM
"""
NODE_LOST = """The actor died because its node has died. Node Id: e075deee2d3e2715ac7b11461302e0a8
\tthe actor's node was terminated unexpectedly: health check failed due to missing too many heartbeats
"""
KILLED = """The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR \
Worker exit detail: Worker unexpectedly exits with a connection error code 2. End of file. Some common \
causes include: (1) the process was killed by the OOM killer due to high memory usage, (2) ray stop --force.
"""
TERMINATED = """The actor is dead because its worker process has died. Worker exit type: \
INTENDED_SYSTEM_EXIT Worker exit detail: Worker exits with an exit code 1. The process receives a SIGTERM.
"""
UNAVAILABLE = """Failure # 1 (occurred at 2026-11-23_15-15-16)
The actor 6d099d831c5136c0 is unavailable: The actor is temporarily unavailable: RpcError: RPC \
error: recvmsg:Connection reset by peer rpc_code: 14. The task may or may not have been executed on the actor.
"""
OWNER_DIED = (
    "The actor is dead because its owner has died. Owner Id: 01000000ffff Owner Ip address: 127.0.0.1 "
    "Owner worker exit type: SYSTEM_ERROR Worker exit detail: Owner's node has crashed."
)
MONITORED = """Caught unexpected exception: 1 worker(s) were killed due to the node running low on memory. \
Memory on the node was 10.65GB used / 23.54GB limit (0.452513)
OOM kill reason: Memory usage 10863493120B exceeded threshold of 10843622400B
Refer to the documentation on how to address the out of memory issue.
"""
TRACEBACK = """Failure # 1 (occurred at 2026-11-23_15-15-16)
ray::Replay.train() (pid=28514, ip=192.0.2.2, actor_id=1451a747, repr=<tests.search.replay.Replay object>)
  File "ray/tune/trainable/trainable.py", line 331, in train
    result = self.step()  # its node has died
{last}
"""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DIED + NODE_TERMINATED, "preemption"),
        (DIED + NODE_LOST, "preemption"),
        (DIED + TERMINATED, "preemption"),
        (UNAVAILABLE, "preemption"),
        (DIED + KILLED, "failure"),
        (DIED + OWNER_DIED, "Ray lost"),
        (TRACEBACK.format(last="trainables.preemption.Preempted: SIGTERM announced it."), "preemption"),
        (TRACEBACK.format(last="ModuleNotFoundError: No module named 'torch'"), "preemption"),
        (TRACEBACK.format(last="ModuleNotFoundError: No module named 'trainables'"), "preemption"),
        (TRACEBACK.format(last="trainables.errors.GpuNotSeen: torch 2.13.0+cpu sees no GPU"), "preemption"),
        (
            TRACEBACK.format(last="trainables.errors.DeviceFailed: CUDA error: an illegal memory access"),
            "device failure",
        ),
        (
            TRACEBACK.format(last="trainables.out_of_memory.OutOfMemory: Out of memory while loading"),
            "out of memory",
        ),
        (TRACEBACK.format(last="torch.OutOfMemoryError: CUDA out of memory"), "failure"),
        (TRACEBACK.format(last="ModuleNotFoundError: No module named 'nltk'"), "failure"),
        (TRACEBACK.format(last="RuntimeError: it broke"), "failure"),
        (TRACEBACK.format(last="RuntimeError: was it Preempted: who knows"), "failure"),
        (TRACEBACK.format(last="RuntimeError: its node has died"), "failure"),
        (TRACEBACK.format(last="MemoryError: running low on memory"), "failure"),
        (TRACEBACK.format(last="OSError: [Errno 28] No space left on device: '/a'"), "full disk"),
        (TRACEBACK.format(last="OSError: [Errno 122] Disk quota exceeded: '/a'"), "full disk"),
        (
            TRACEBACK.format(
                last="safetensors_rust.SafetensorError: Error while serializing: I/O error: No space left on "
                "device (os error 28)"
            ),
            "full disk",
        ),
        (
            "Caught unexpected exception: Task was killed due to the node running low on memory.",
            "out of memory",
        ),
        ("", "failure"),
    ],
)
def test_the_kind_of_a_failure(error, kind):
    assert failure_kind(error) == kind


def test_of_a_trial_that_saw_no_gpu_the_node_is_known():
    error = TRACEBACK.format(last="trainables.errors.GpuNotSeen: torch sees no GPU. Install it. (node a1b2)")
    assert failure_kind(error) == "preemption"
    assert blind_node(error) == ("torch sees no GPU. Install it.", "a1b2")
    assert blind_node(TRACEBACK.format(last="RuntimeError: it broke")) is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_known_behind_other_errors(number):
    full = OSError(number, os.strerror(number))
    error = RuntimeError("it could not be written")
    error.__cause__ = full
    assert left_no_space(full)
    assert left_no_space(error)


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "no"), RuntimeError("No space left"), None])
def test_other_errors_are_not_a_full_disk(error):
    assert not left_no_space(error)


def test_of_what_the_memory_monitor_says_the_numbers_are_kept():
    assert memory_message(MONITORED) == (
        "1 worker(s) were killed due to the node running low on memory. "
        "Memory on the node was 10.65GB used / 23.54GB limit (0.452513)"
    )
