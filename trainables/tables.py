"""Read a split as a table from its files, whatever their format, number, compression or place."""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from trainables.data_files import files_of, format_of, is_saved, is_url, packing_of
from trainables.errors import InputError
from trainables.json_rows import read_json, read_jsonl
from trainables.separated import read_csv, read_tsv
from trainables.storage.place import EXTRAS, place, refuse_secrets

if TYPE_CHECKING:
    from fsspec.core import OpenFile

TEXT_READERS: dict[str, Callable[[str], pd.DataFrame]] = {
    ".jsonl": read_jsonl,
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": read_tsv,
}


def read_split(name: str) -> pd.DataFrame:
    """Read all files of a split, one after the other in the order of their names.

    Args:
        name: a path, a pattern (`parts/*.jsonl`), a folder, or a URL, also with a pattern.

    Raises:
        InputError: there is no such file, one cannot be read, or they have not the same columns.
    """
    tables = _of_url(name) if is_url(name) else _of_path(name)
    _refuse_other_columns(tables)
    return pd.concat(tables.values(), ignore_index=True)


def _of_path(name: str) -> dict[str, pd.DataFrame]:
    path = Path(name)
    files = files_of(path)
    if not files and path.is_dir():
        raise InputError(f"Data folder {path} holds no file of a known format, and none of save_to_disk.")
    if not files:
        raise InputError(f"Data file {path} does not exist.")
    return {
        str(file): _saved(file) if is_saved(file) else _read(str(file), file.read_bytes) for file in files
    }


def _of_url(url: str) -> dict[str, pd.DataFrame]:
    import fsspec

    if urlsplit(url).scheme in EXTRAS:
        place(url)  # raises InputError where the store cannot be asked
    refuse_secrets(url)
    try:
        files = fsspec.open_files(url, "rb")
    except (ImportError, ValueError, OSError) as error:
        raise InputError(f"Data at {url} cannot be opened: {error}") from error
    if not files:
        raise InputError(f"Data at {url}: there is no such file.")
    return {file.full_name: _read(file.path, partial(_fetched, file)) for file in files}


def _fetched(file: "OpenFile") -> bytes:
    from aiohttp import ClientError

    try:
        with file as stream:
            return bytes(stream.read())
    except ClientError as error:
        raise OSError(str(error)) from error


def _read(name: str, content: Callable[[], bytes]) -> pd.DataFrame:
    kind = format_of(name)
    if kind is None:
        raise InputError(f"Data file {name} has no ending that says how it is read.")
    try:
        read = _unpacked(content(), packing_of(name))
        if kind in TEXT_READERS:
            return TEXT_READERS[kind](_text(read))
        return _parquet(read) if kind == ".parquet" else _arrow(read)
    except (ValueError, OSError) as error:
        raise InputError(f"Data file {name} cannot be read as {kind[1:]}: {error}") from error


def _unpacked(content: bytes, packing: str | None) -> bytes:
    if packing is None:
        return content
    return bytes(pa.CompressedInputStream(pa.BufferReader(content), packing).read())


def _text(content: bytes) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises:
        ValueError: it is not; names the line, and what the file may be.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("it is UTF-16; save it as UTF-8 (iconv -f utf-16 -t utf-8)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"line {line} is no UTF-8 (byte 0x{content[error.start]:02x}). Save it as UTF-8; what "
            "Windows wrote is often cp1252: iconv -f cp1252 -t utf-8"
        ) from error


def _parquet(content: bytes) -> pd.DataFrame:
    return parquet.read_table(pa.BufferReader(content)).to_pandas(integer_object_nulls=True)


def _arrow(content: bytes) -> pd.DataFrame:
    """Read Arrow's file format, or its stream format, which the datasets library writes."""
    try:
        reader = pa.ipc.open_file(BytesIO(content))
    except pa.ArrowInvalid:
        reader = pa.ipc.open_stream(BytesIO(content))
    return reader.read_all().to_pandas(integer_object_nulls=True)


def _saved(folder: Path) -> pd.DataFrame:
    import datasets

    try:
        saved = datasets.load_from_disk(str(folder))
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise InputError(f"Data folder {folder} cannot be read as save_to_disk writes it: {error}") from error
    return saved.data.table.to_pandas(integer_object_nulls=True)


def _refuse_other_columns(tables: dict[str, pd.DataFrame]) -> None:
    """Raise InputError where files have other columns than the first; JSON rows may leave keys out."""
    fixed = {name: table for name, table in tables.items() if format_of(name) not in (".jsonl", ".json")}
    first = next(iter(fixed), "")
    for name, table in fixed.items():
        if set(table.columns) != set(fixed[first].columns):
            raise InputError(
                f"Data file {name} has the columns {', '.join(map(repr, table.columns))}; "
                f"{first} has {', '.join(map(repr, fixed[first].columns))}."
            )
