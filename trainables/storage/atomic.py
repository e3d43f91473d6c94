"""Files and folders that are either whole or absent, whatever kills the process while they are written.

Each is written under a temporary name beside its place, flushed to disk and renamed: POSIX renames
within one file system are atomic. For an object store it is written on this machine and uploaded: an object
appears when its upload has ended. The files of a folder appear there one after the other, in the order in
which they were written: what must not be taken for whole before its time is sealed by its last file.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainables.storage.place import Place, remove


def write_text(path: Place, text: str) -> None:
    """Replace the file at `path`; a reader sees the old text or the new, never a part."""
    with new_file(path) as file:
        file.write_text(text, encoding="utf-8")


@contextmanager
def new_file(path: Place, *, durable: bool = True) -> Iterator[Path]:
    """Yield the path of an empty file that becomes `path` when the block ends well.

    One that is not `durable` may be lost when the machine goes down: nobody waits for the disk.
    """
    if not isinstance(path, Path):
        with tempfile.TemporaryDirectory(prefix="tuneoff-") as draft:
            file = Path(draft) / path.name
            file.touch()
            yield file
            path.fs.put_file(str(file), path.path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.fchmod(handle, 0o666 & ~_umask())
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        if durable:
            _flush(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        _flush(path.parent)


@contextmanager
def new_folder(path: Place) -> Iterator[Path]:
    """Yield an empty folder that becomes `path` when the block ends well, replacing what was there."""
    if not isinstance(path, Path):
        with tempfile.TemporaryDirectory(prefix="tuneoff-") as draft:
            yield Path(draft)
            remove(path)
            _upload(Path(draft), path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    temporary.chmod(0o777 & ~_umask())
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                file.chmod(0o666 & ~_umask())  # safetensors makes its own readable for their owner alone
                _flush(file)
        shutil.rmtree(path, ignore_errors=True)
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _flush(path.parent)


def keep_version(file: Place, to: Place) -> None:
    """Keep what is in `file`, where there is one, as `to`, also when `file` is replaced.

    For file systems only: an object store keeps versions of its own where it is asked to.
    """
    if not (isinstance(file, Path) and isinstance(to, Path) and file.exists()):
        return
    to.unlink(missing_ok=True)
    try:
        to.hardlink_to(file)
    except OSError:  # a file system without links
        shutil.copyfile(file, to)


def _upload(folder: Path, to: Place) -> None:
    files = [file for file in folder.rglob("*") if file.is_file()]
    for file in sorted(files, key=lambda file: file.stat().st_mtime_ns):
        target = to / file.relative_to(folder).as_posix()
        assert not isinstance(target, Path)
        target.fs.put_file(str(file), target.path)


def _umask() -> int:
    """Return the process's umask; Python's temporary files are stricter than it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
