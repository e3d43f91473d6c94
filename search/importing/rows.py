"""Read the rows of files of results: of which example, method and seed each is, and what it says."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from search.importing.columns import File
from spaces import shown
from trainables.errors import InputError
from trainables.examples import plain_value, texts_of

MOST_CHARACTERS = 100
"""Of a method's name."""


@dataclass(frozen=True)
class Row:
    """One row of a file of results."""

    place: str
    """`FILE, row 3`, counted from 1 without the header."""
    method: str
    seed: int
    id: str | None
    source: str | None
    references: tuple[str, ...] | None
    """None where the file has no column of them."""
    prediction: str | None
    """None of a file with the scores of whole corpora."""
    costs: dict[str, float]
    scores: dict[str, float]
    """In points; of a file without predictions."""

    @property
    def run(self) -> tuple[str, int]:
        return self.method, self.seed


def rows(files: Sequence[File]) -> Iterator[Row]:
    """Yield the rows of all files, in order.

    A file without a column of methods is all of the method that its own name says; one without seeds is of
    seed 0.

    Raises:
        InputError: a cell does not hold what its column means, or only some files say seeds.
    """
    _refuse_seeds_in_some(files)
    for file in files:
        for number, cells in enumerate(file.table.to_dict("records"), start=1):
            yield _row(file, f"{file.name}, row {number}", cells)


def _refuse_seeds_in_some(files: Sequence[File]) -> None:
    without = [file.name for file in files if "seed" not in file.means]
    if without and len(without) < len(files):
        having = next(file.name for file in files if "seed" in file.means)
        raise InputError(
            f"{without[0]} has no column 'seed', and {having} has one: say in every file, or in none, which "
            "seed a row is of."
        )


def _row(file: File, place: str, cells: dict[Any, Any]) -> Row:
    where = {meaning: f"{place}, column {column!r}" for meaning, column in file.means.items()}
    values = {m: plain_value(_known(cells[file.means[m]]), where[m]) for m in where if m != "prediction"}

    def text(meaning: str) -> str | None:
        return _text(values[meaning], where[meaning]) if meaning in values else None

    return Row(
        place=place,
        method=_method(values["method"], where["method"]) if "method" in values else _stem(file),
        seed=_seed(values["seed"], where["seed"]) if "seed" in values else 0,
        id=text("id"),
        source=text("source"),
        references=_references(file, place, cells) if file.references else None,
        prediction=_prediction(cells[file.means["prediction"]], where["prediction"])
        if "prediction" in where
        else None,
        costs=_numbers(cells, file.costs, place),
        scores=_numbers(cells, file.scores, place),
    )


def _known(value: Any) -> Any:
    """Replace what a table has for a missing cell by None."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _stem(file: File) -> str:
    name = file.name.replace("\\", "/").rpartition("/")[2]
    return _method(name.rpartition(".")[0], f"the name of {file.name}")


def _method(value: Any, where: str) -> str:
    name = _text(value, where).strip()
    if len(name) > MOST_CHARACTERS or not name.isprintable():
        raise InputError(
            f"{where}: a method's name is one line of at most {MOST_CHARACTERS} characters, got "
            f"{shown(name)}."
        )
    return name


def _seed(value: Any, where: str) -> int:
    text = str(value).strip()
    number = text.removesuffix(".0")
    if isinstance(value, bool) or not (number.isascii() and number.isdigit()):
        held = "is empty" if value is None or not text else f"holds {shown(value)}"
        raise InputError(f"{where}, {held}: a seed is a whole number from 0 on.")
    return int(number)


def _text(value: Any, where: str) -> str:
    if value is None or isinstance(value, list | dict) or not str(value).strip():
        held = "is empty" if value is None or value == "" else f"holds {shown(value)}"
        raise InputError(f"{where}, {held}: it must hold a text.")
    return str(value)


def _prediction(value: Any, where: str) -> str:
    """Read an output, which may be the empty text, but not be missing."""
    text = plain_value(value, where)
    if _known(value) is None or isinstance(text, list | dict):
        held = f"holds {shown(text)}" if text else "is missing"
        raise InputError(f"{where}, {held}: it must hold a text, if only an empty one.")
    return str(text)


def _references(file: File, place: str, cells: dict[Any, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for column in file.references:
        where = f"{place}, column {column!r}"
        found += texts_of(_unlisted(plain_value(_known(cells[column]), where)), where)
    kept = tuple(text for text in found if text.strip())
    if not kept:
        raise InputError(f"{place}, column {file.references[0]!r}, is empty: an example needs a reference.")
    return kept


def _unlisted(value: Any) -> Any:
    """Read a list of texts that a CSV file can only hold as JSON."""
    if not (isinstance(value, str) and value.startswith("[") and value.endswith("]")):
        return value
    try:
        parsed = json.loads(value)
    except ValueError:
        return value
    return parsed if parsed and all(isinstance(text, str) for text in parsed) else value


def _numbers(cells: dict[Any, Any], columns: Sequence[str], place: str) -> dict[str, float]:
    found = {}
    for column in columns:
        value = _known(cells[column])
        if value is None or value == "":
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number) or number < 0:
            raise InputError(
                f"{place}, column {column!r}, holds {shown(value)}: it must hold a number from 0 on."
            )
        found[column] = number
    return found
