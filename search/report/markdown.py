"""Markdown from values. Text of models and data sets is shown as it is and never read as markup."""

import re
import textwrap
from collections.abc import Sequence

from trainables.amounts import DASH

_WIDTH = 100
_CONTROL_CODES = [code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"]
_VISIBLE = dict.fromkeys(_CONTROL_CODES, "\N{REPLACEMENT CHARACTER}")


def text(value: object) -> str:
    """Put text on one line and escape what Markdown or HTML would read (but a table's `|`)."""
    return re.sub(r"([\\`*_\[\]<>&#~!])", r"\\\1", _on_one_line(value))


def code(value: object) -> str:
    """Put text on one line as a code span, within which neither Markdown nor HTML is read."""
    flat = _on_one_line(value)
    ticks = "`" * (_longest_ticks(flat) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{ticks}{pad}{flat}{pad}{ticks}" if flat else DASH


def fence(value: str, language: str = "text") -> str:
    """Put text in a code block that no text can close."""
    ticks = "`" * max(3, _longest_ticks(value) + 1)
    return "\n".join([f"{ticks}{language}", *_lines(value), ticks])


def wrap(value: str, width: int = _WIDTH) -> list[str]:
    """Split a text into lines, at least one, none longer than `width` unless a single word is."""
    return [part for line in _lines(value) for part in _wrap_line(line, width) or [""]]


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Align rows as columns of plain text, the last one wrapped; to be set in a fence."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)][:-1]
    lines = []
    for *cells, last in rows:
        head = "".join(f"{cell:<{width}}  " for cell, width in zip(cells, widths, strict=True))
        first, *rest = wrap(last, max(_WIDTH - len(head), _WIDTH // 2))
        lines += [f"{head}{first}".rstrip(), *(f"{'':{len(head)}}{line}".rstrip() for line in rest)]
    return "\n".join(lines)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table, names left and numbers right, aligned in its source too, for a terminal."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    first, *others = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * first, *("-" * (width - 1) + ":" for width in others)]
    lines = [
        [f"{name:<{first}}", *(f"{cell:>{width}}" for cell, width in zip(rest, others, strict=True))]
        for name, *rest in cells
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def section(title: str, *parts: str) -> str:
    """Write a heading and the parts below it; empty parts are left out."""
    return "\n\n".join(filter(None, [f"## {title}", *parts]))


def bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _on_one_line(value: object) -> str:
    return " ".join(str(value).split()).translate(_VISIBLE)


def _lines(value: str) -> list[str]:
    """Split into lines, at least one, and make characters visible that would move a terminal's cursor."""
    return [line.translate(_VISIBLE) for line in value.splitlines()] or [""]


def _wrap_line(line: str, width: int) -> list[str]:
    """Break at spaces only, and leave all other characters as they are."""
    return textwrap.wrap(
        line,
        width,
        expand_tabs=False,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _longest_ticks(value: str) -> int:
    return max(map(len, re.findall("`+", value)), default=0)
