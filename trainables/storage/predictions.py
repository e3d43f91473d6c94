"""The predictions of a run on the test split: a parquet file, a row a document; copies alike."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import pandas as pd
from pyarrow import ArrowException

from trainables.errors import InputError
from trainables.storage.place import Place, bytes_of, is_regular

COLUMNS = ("id", "source", "references", "prediction")
COPIES = ("copy", "units", "length", "id", "prediction")


def write(examples: pd.DataFrame, file: Path) -> None:
    """Write them with a checksum a page, by which reading detects a flipped bit."""
    examples.to_parquet(file, write_page_checksum=True)


def read(file: Place, scores: Iterable[str]) -> pd.DataFrame:
    """Read them, several references of a document as a list; `scores` name columns that must be there.

    Raises:
        InputError: they are damaged.
    """
    table = _table(file, (*COLUMNS, *scores))
    try:
        table["references"] = table["references"].map(list)
    except TypeError as error:
        raise _damaged(file, str(error)) from error
    return table


def read_copies(file: Place, scores: Iterable[str]) -> pd.DataFrame:
    """Read the copies that were scored beside the untrained model, as `trainables.copies` has them.

    Raises:
        InputError: they are damaged.
    """
    return _table(file, (*COPIES, *scores))


def _table(file: Place, columns: Sequence[str]) -> pd.DataFrame:
    if not is_regular(file):
        raise _damaged(file, "it is no regular file")
    content = bytes_of(file)
    try:
        table = pd.read_parquet(BytesIO(content), page_checksum_verification=True)
    except (ArrowException, OSError, ValueError, KeyError, TypeError) as error:  # as the damage will have it
        raise _damaged(file, " ".join(str(error).split())[:200].rstrip(".")) from error
    if missing := [name for name in columns if name not in table]:
        raise _damaged(file, f"without the columns {', '.join(missing)}")
    return table


def _damaged(file: Place, reason: str) -> InputError:
    return InputError(f"The predictions {file} are damaged: {reason}.")
