"""Allow one process a run folder on a file system, by a lock that names its holder.

The kernel's lock (flock(2)) goes with the process, however it ends, so none is ever stale; on NFS the server
holds it. File systems without locks get a lease instead: filelock's, which names host, process and its start.
It is taken over at once from a dead process of this host, and from another host when it has not been renewed,
by this host's clock.
"""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import SoftFileLease, Timeout

from search.records.lease import stop_this_process
from trainables.errors import InputError
from trainables.storage.place import refuse_links

UNKNOWN = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""Errors of a file system without locks."""
LEASE_SECONDS = 60.0
"""Time without a renewal after which the holder of a lease counts as gone."""

Flock = Callable[[int, int], None]


@contextmanager
def held(folder: Path, *, flock: Flock = fcntl.flock, lease_seconds: float = LEASE_SECONDS) -> Iterator[None]:
    """Hold `folder` for the length of the block; make it where there is none.

    Raises:
        InputError: another process holds it, or it cannot be written.
    """
    descriptor = _open(folder)
    try:
        flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _refusal(folder, _in_words(os.pread(descriptor, 1000, 0))) from error
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
        with _leased(folder, lease_seconds):
            yield
    else:
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, _me(), 0)
        yield
    finally:
        os.close(descriptor)


def _open(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _descriptor(folder, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise InputError(
            f"The run folder {folder} cannot be written ({error.strerror}). "
            "Name another one with --folder, or set `storage` in the sweep file."
        ) from error


def _descriptor(folder: Path, flags: int) -> int:
    """Open the lock, which must be a file: a folder from elsewhere may hold a link or a pipe."""
    file = folder / ".lock"
    with suppress(FileNotFoundError):
        refuse_links(file)
    return os.open(file, flags | os.O_NOFOLLOW, 0o666)


def is_held(folder: Path) -> bool:
    """Tell whether a process holds it by the kernel's lock."""
    try:
        descriptor = _descriptor(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _leased(folder: Path, seconds: float) -> Iterator[None]:
    lease = SoftFileLease(
        folder / ".lease",
        lease_duration=seconds,
        is_singleton=False,
        on_compromise=lambda _: stop_this_process(folder),
    )
    owner = lease.owner
    is_elsewhere = owner is not None and owner.hostname.partition("?")[0] != socket.gethostname()
    try:
        lease.acquire(timeout=1.5 * seconds if is_elsewhere else 0)
    except Timeout as error:
        owner = lease.owner
        raise _refusal(folder, f": process {owner.pid} on {owner.hostname}" if owner else "") from error
    try:
        yield
    finally:
        lease.release()


def _me() -> bytes:
    process = psutil.Process()
    mine = {"host": socket.gethostname(), "pid": process.pid, "started": process.create_time()}
    return json.dumps(mine).encode()


def _in_words(holder: bytes) -> str:
    """Describe the holder; empty if it has not written who it is yet."""
    with suppress(ValueError, KeyError):
        found = json.loads(holder)
        return f": process {found['pid']} on {found['host']}"
    return ""


def _refusal(folder: Path, holder: str) -> InputError:
    return InputError(f"Another tuneoff process is running in {folder}{holder}.")
