"""Read comma- and tab-separated files row for row: what does not fit the header is an error, never a shift.

CSV is that of RFC 4180. TSV, as IANA registered it, knows no quotes: a line is a row, a tab begins a column.
Programs that write CSV with tabs in the place of commas do quote, though; their files are known by what they
do everywhere in a file, quoting its header, or each text with a quote, tab or line break in it and no other.
"""

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO

import pandas as pd

Row = tuple[int, list[str]]
"""The line on which it begins, from 1, and its fields."""


def read_csv(text: str) -> pd.DataFrame:
    """Read a file's text in which commas separate.

    Raises:
        ValueError: a row has not the header's number of fields, or quotes do not match; names the line. Or
            the header has semicolons or tabs in the place of commas.
    """
    _refuse_other_separators(text)
    return _table(_quoted(text, ","), "Is a comma in a text that is not in quotes?")


def read_tsv(text: str) -> pd.DataFrame:
    """Read a file's text in which tabs separate. Raises as `read_csv`."""
    if _is_quoted(text):
        return _table(_quoted(text, "\t"), "Is a tab in a text that is not in quotes?")
    return _table(_plain(text), "A .tsv has no quotes: is a tab or a line break in a text?")


def _refuse_other_separators(text: str) -> None:
    header = text.partition("\n")[0]
    for sign, word, remedy in ((";", "semicolons", "save it with commas"), ("\t", "tabs", "name it .tsv")):
        if sign in header and "," not in header:
            raise ValueError(f"its header has {word} and no comma: {remedy}")


def _quoted(text: str, separator: str) -> Iterator[Row]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    with _fields_of_any_length():
        try:
            for fields in reader:
                yield line, fields
                line = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(f"the row on line {line}: {error}") from error


@contextmanager
def _fields_of_any_length() -> Iterator[None]:
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _plain(text: str) -> Iterator[Row]:
    for line, content in enumerate(text.split("\n"), 1):
        yield line, content.removesuffix("\r").split("\t")


def _is_quoted(text: str) -> bool:
    """Return whether a CSV writer wrote it, quotes and all; False if its lines are whole rows too."""
    if '"' not in text:
        return False
    if all(len(name) > 1 and name[0] == name[-1] == '"' for name in next(_plain(text))[1]):
        return True
    try:
        quoted = list(_quoted(text, "\t"))
    except ValueError:
        return False
    written = "\n".join("\t".join(map(_with_quotes, fields)) for _, fields in quoted)
    if _same_breaks(written) != _same_breaks(text):
        return False
    widths, of_lines = _widths(quoted), _widths(_plain(text))
    return len(set(widths)) == 1 and (len(widths) == len(of_lines) or len(set(of_lines)) > 1)


def _widths(rows: Iterable[Row]) -> list[int]:
    return [len(fields) for _, fields in _filled(rows)]


def _filled(rows: Iterable[Row]) -> Iterator[Row]:
    """Return all but blank lines."""
    return ((line, fields) for line, fields in rows if len(fields) > 1 or "".join(fields).strip())


def _with_quotes(field: str) -> str:
    """Write a field as a CSV writer does: in quotes where that is needed."""
    return '"{}"'.format(field.replace('"', '""')) if any(c in field for c in '"\t\r\n') else field


def _same_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip("\n")


def _table(rows: Iterable[Row], advice: str) -> pd.DataFrame:
    filled = _filled(rows)
    names = [name or f"Unnamed: {place}" for place, name in enumerate(next(filled, (0, []))[1])]
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise ValueError(f"the header names {', '.join(map(repr, twice))} twice")
    return pd.DataFrame(list(_fitting(filled, len(names), advice)), columns=names, dtype=object)


def _fitting(rows: Iterable[Row], count: int, advice: str) -> Iterator[list[str]]:
    for line, fields in rows:
        if len(fields) != count:
            raise ValueError(f"the row on line {line} has {len(fields)} fields, the header {count}. {advice}")
        yield fields
