"""Where files lie: on a file system of this machine, or at the URL of an object store (s3://, gs://, ...).

Object stores have no folders and no rename: an object appears whole, when its upload has ended.
"""

import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from trainables.errors import InputError

if TYPE_CHECKING:
    from upath import UPath

    Place = Path | UPath
else:
    Place = Path  # fsspec is slow to import, and most folders are local
"""A path, or what behaves like one: a `upath.UPath`."""
EXTRAS = {"s3": "tuneoff[s3]", "gs": "tuneoff[gcs]", "gcs": "tuneoff[gcs]", "abfs": "adlfs", "memory": ""}
"""Stores by their scheme, and what opens them. FTP and archives show files that are not whole."""


def place(where: str | Place) -> Place:
    """Return the place of that name: an absolute path, or a URL that fsspec can open.

    Credentials come from the environment, as each store's own library reads them; they never stand in a URL,
    which goes into records and logs.

    Raises:
        InputError: the URL holds credentials, is of no store that is known, or the store cannot be asked.
    """
    if not isinstance(where, str):
        return where.absolute() if isinstance(where, Path) else where
    if "://" not in where:
        return Path(where).absolute()
    url = _split(where)
    if url.scheme == "file":
        return Path(url.path).absolute()
    refuse_secrets(where)
    _find_library(url.scheme)
    _ask(where)
    return _opened(where)


def refuse_secrets(where: str) -> None:
    """Raise InputError if a URL holds more than a bucket and a path, for it goes into records and logs."""
    url = _split(where)
    if url.scheme and (url.username is not None or url.query):
        raise InputError(
            f"The {url.scheme}:// URL must be a bucket and a path only: credentials are read from the "
            "environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, the machine's role; "
            "GOOGLE_APPLICATION_CREDENTIALS)."
        )


def _find_library(scheme: str) -> None:
    import fsspec

    if scheme not in EXTRAS:
        raise InputError(
            f"{scheme}:// is no storage that is known. Use a path, s3://BUCKET/PATH or gs://BUCKET/PATH."
        )
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise InputError(f"{scheme}:// cannot be opened: {error}. Install {EXTRAS[scheme]}.") from error


@cache
def _ask(where: str) -> None:
    """Ask the store, once a process, for what is at a URL; it need not exist, but credentials must do."""
    path = _opened(where)
    try:
        path.fs.info(path.path)
    except FileNotFoundError:
        return
    except Exception as error:  # each store's library has errors of its own
        raise InputError(
            f"{where} cannot be reached ({type(error).__name__}: {error}). Look at the bucket's name, and at "
            "the credentials in the environment."
        ) from error


def _opened(where: str) -> "UPath":
    from upath import UPath

    return UPath(where, use_listings_cache=False)  # others write there too


def _split(where: str) -> SplitResult:
    try:
        return urlsplit(where)
    except ValueError as error:
        raise InputError(f"{where} is neither a path nor a URL ({error}).") from error


def is_local(path: Place) -> bool:
    """Return whether it lies on a file system that this machine has mounted."""
    return isinstance(path, Path)


def remove(path: Place) -> None:
    """Remove a folder with all that is in it, or a file, where there is one."""
    if isinstance(path, Path):
        if path.is_file():
            path.unlink()
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        path.fs.rm(path.path, recursive=True)
    except FileNotFoundError:
        return


def free_bytes(path: Place) -> int | None:
    """Return the free bytes of the disk of `path`, which need not exist; None for an object store."""
    if not isinstance(path, Path):
        return None
    return shutil.disk_usage(next(folder for folder in (path, *path.parents) if folder.exists())).free


def refuse_links(path: Path) -> None:
    """Refuse anything at `path` or below it that is neither a file nor a folder.

    A run folder that came from elsewhere may link to what its sender cannot read, or hold a pipe without end.

    Raises:
        FileNotFoundError: it is not there.
        InputError: it is a link, a pipe or a device, or there is one in it.
    """
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        for inner in path.iterdir():
            refuse_links(inner)
    elif not stat.S_ISREG(mode):
        kind = "a link" if stat.S_ISLNK(mode) else "no file"
        raise InputError(f"{path} is {kind}. A run folder holds files only: put a copy there, or remove it.")


@contextmanager
def local_copy(path: Place) -> Iterator[Path]:
    """Yield the file or folder on this machine: itself, or a copy that lasts as long as the block.

    Raises:
        FileNotFoundError: it is not there.
        InputError: it is a link, or one is in it.
    """
    if isinstance(path, Path):
        refuse_links(path)
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="tuneoff-") as folder:
        copy = Path(folder) / path.name
        path.fs.get(path.path, str(copy), recursive=path.is_dir())
        yield copy


def bytes_of(file: Place) -> bytes:
    """Read the file at one moment: from an object store in one request, for it may be replaced meanwhile.

    Raises:
        FileNotFoundError: it is not there.
        InputError: it is a link.
    """
    if not isinstance(file, Path):
        return bytes(file.fs.cat_file(file.path))
    refuse_links(file)
    return file.read_bytes()


def is_regular(file: Place) -> bool:
    """Return whether it can be read to an end: no folder, no pipe; an object always can."""
    return not isinstance(file, Path) or file.is_file()


def contents(files: list[Place]) -> list[bytes]:
    """Read each of the files, empty where there is none; an object store's are fetched in parallel."""
    remote = [file for file in files if not isinstance(file, Path)]
    if not remote:
        return [bytes_of(file) if is_regular(file) else b"" for file in files]
    urls = [file.path for file in remote]
    found = remote[0].fs.cat(urls)
    return [found[url] for url in urls] if isinstance(found, dict) else [found]
