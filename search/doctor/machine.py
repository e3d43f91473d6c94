"""Memory, disks, shared memory and file descriptors of this machine."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from search.compat import memory_bytes, object_store_bytes
from search.doctor.finding import Finding, failed, passed, warned
from trainables.amounts import number, size
from trainables.storage.place import free_bytes

GIB = 2**30
LITTLE_MEMORY_BYTES = 4 * GIB
"""Two workers with torch and a small model take as much."""
LITTLE_DISK_BYTES, NO_DISK_BYTES = 5 * GIB, GIB // 2
"""A model of 80 million parameters, its checkpoints and Ray's logs; the least to start with."""
MOST_OF_A_DISK = 0.95
"""Ray spills nothing to a disk that is fuller (`RAY_local_fs_capacity_threshold`)."""
FEW_DESCRIPTORS, ENOUGH_DESCRIPTORS = 4096, 65_536
"""Below the first Ray warns; up to the second it raises the soft limit to the hard one by itself."""
SHM = Path("/dev/shm")


def check_memory() -> Finding:
    """The memory of this machine, or of its container, that nobody uses."""
    free, total = memory_bytes()
    message = f"{size(free)} free of {size(total)}"
    if free >= LITTLE_MEMORY_BYTES:
        return passed("memory", message)
    remedy = "End other programs, give the container more, or set resources.concurrent_trials to 1."
    return warned("memory", message, remedy)


def check_disks(places: dict[str, Path]) -> Iterator[Finding]:
    """Whether each folder, by what lies in it, can be written and has room."""
    for what, folder in places.items():
        yield _disk(f"disk for {what}", folder)


def _disk(name: str, folder: Path) -> Finding:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return failed(name, f"{folder} cannot be written: {error.strerror}", _elsewhere(name))
    free, usage = free_bytes(folder) or 0, shutil.disk_usage(there)
    message = f"{size(free)} free of {size(usage.total)} in {folder}"
    if free < NO_DISK_BYTES:
        return failed(name, message, _elsewhere(name))
    if free < LITTLE_DISK_BYTES or usage.used > MOST_OF_A_DISK * (usage.used + free):
        return warned(name, message, _elsewhere(name))
    return passed(name, message)


def _elsewhere(name: str) -> str:
    variables = {RAY: "RAY_TMPDIR", HUB: "HF_HOME"}
    variable = next((value for what, value in variables.items() if name.endswith(what)), None)
    where = f"set {variable} to a folder on a larger disk" if variable else "set storage to a larger disk"
    return f"Make room, or {where}."


RAY, HUB = "Ray", "models and data"


def worker_places() -> dict[str, Path]:
    """The folders that every machine with trials writes to."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return {RAY: Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()), HUB: Path(HF_HUB_CACHE)}


def check_shared_memory() -> Finding:
    """Ray keeps its objects in /dev/shm: without one it does not start, in a small one it has no room."""
    name = "/dev/shm"
    if sys.platform != "linux":
        return passed(name, "not used by Ray on this system")
    try:
        found = os.statvfs(SHM)
    except OSError as error:
        return failed(name, f"absent ({error.strerror}): Ray cannot start", "Mount a tmpfs on /dev/shm.")
    free = found.f_bavail * found.f_frsize
    wanted = object_store_bytes(memory_bytes()[0])
    if free >= wanted:
        return passed(name, f"{size(free)} free")
    message = f"{size(free)} free, Ray wants {size(wanted)}: it keeps objects on the disk instead, slower"
    enough = -(-wanted >> 30)  # GiB, rounded up
    return warned(name, message, f"In a container: docker run --shm-size={enough}g, or --ipc=host.")


def check_descriptors() -> Finding:
    """How many files and sockets a process may have open, once Ray has raised the limit as far as it may."""
    name = "open files"
    if sys.platform == "win32":
        return passed(name, "no limit on this system")
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_DESCRIPTORS)
    message = f"{number(max(soft, most))} a process (soft limit {number(soft)})"
    if max(soft, most) >= FEW_DESCRIPTORS:
        return passed(name, message)
    remedy = "Raise the hard limit: ulimit -Hn 65536 as root, or docker run --ulimit nofile=65536:65536."
    return warned(name, message, remedy)
