"""Checksums that seal a folder: a file in it names the SHA-256 of each of its files.

Its form is that of coreutils: `sha256sum --check SHA256SUMS` in the folder checks it without tuneoff.
"""

import hashlib
from pathlib import Path

from trainables.storage.atomic import write_text

SUMS = "SHA256SUMS"


def seal(folder: Path) -> None:
    """Write the checksums of all files below `folder` into it."""
    write_text(folder / SUMS, _sums(folder))


def is_whole(folder: Path) -> bool:
    """Return whether the folder holds the files that it was sealed with, and no other."""
    try:
        sealed = (folder / SUMS).read_bytes().split(b"\n")
        return sorted(sealed) == sorted(_sums(folder).encode().split(b"\n"))
    except FileNotFoundError:
        return False


def _sums(folder: Path) -> str:
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return "".join(f"{_digest(folder / name)}  {name}\n" for name in names if name != SUMS)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
