"""Read rows from JSON files: a row is an object, and what is none is an error with its line or its number."""

import json
from typing import Any

import pandas as pd


def read_jsonl(text: str) -> pd.DataFrame:
    """Read a file's text with an object a line; blank lines are left out.

    Raises:
        ValueError: a line is no JSON, or no object; names the line.
    """
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            rows.append(_row(_parsed(line, f"line {number}: "), f"line {number}"))
    return pd.DataFrame(rows, dtype=object)


def read_json(text: str) -> pd.DataFrame:
    """Read a text that holds a list of objects, or an object of columns, each a list of equal length.

    Raises:
        ValueError: it holds something else; names the row.
    """
    content = _parsed(text)
    if isinstance(content, list):
        content = [_row(row, f"row {number}") for number, row in enumerate(content, start=1)]
    elif key := _key_of_rows(content):
        raise ValueError(f"its rows are under {key!r}: write that list alone (jq '.{key}' FILE)")
    elif not isinstance(content, dict) or not all(isinstance(column, list) for column in content.values()):
        raise ValueError(f"it holds {_kind(content)}; a list of objects is needed, or an object of columns")
    return pd.DataFrame(content, dtype=object)


def _key_of_rows(content: Any) -> str | None:
    """Return the one key of an object whose value is a list of objects, as some tools wrap their rows."""
    wrapped = content.items() if isinstance(content, dict) else ()
    keys = [key for key, rows in wrapped if isinstance(rows, list) and rows and isinstance(rows[0], dict)]
    return keys[0] if len(keys) == 1 else None


def _parsed(text: str, where: str = "") -> Any:
    try:
        content = json.loads(text)
        if "\\ud" in text.lower():  # half a character, which no file can be written with
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError(f"{where}it is nested too deeply") from error
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{where}it holds half a character, \\ud800 to \\udfff without its other half"
        ) from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{where}{error.msg} at character {error.pos + 1}" if where else str(error)
        ) from error
    return content


def _row(row: Any, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ValueError(f'{where} holds {_kind(row)}; an object is needed: {{"column": ..., ...}}')
    return row


def _kind(value: Any) -> str:
    """Name a JSON value as its standard does, RFC 8259."""
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    names = {"dict": "an object", "list": "an array", "str": "a string"}
    return names.get(type(value).__name__, "a number")
