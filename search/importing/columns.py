"""Find in a file of results the columns that an import reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from spaces import did_you_mean
from trainables import metrics
from trainables.cost.declared import COST_FIGURES
from trainables.data import columns_of
from trainables.errors import InputError
from trainables.tables import read_split

MEANINGS = ("id", "source", "references", "prediction", "method", "seed")
"""What a column of a file may mean; costs and scores go by their own names."""


@dataclass(frozen=True)
class Columns:
    """Which columns of the files mean what, where they are not called so."""

    named: Mapping[str, str] = field(default_factory=dict)
    """Meaning to the column's name in the files."""

    @classmethod
    def parsed(cls, options: Sequence[str]) -> "Columns":
        """Parse `prediction=output`.

        Raises:
            InputError: it has another form, an unknown meaning, or one that was given before.
        """
        named: dict[str, str] = {}
        for option in options:
            meaning, equals, name = option.partition("=")
            if not equals or not name:
                raise InputError(f"--column {option}: is written MEANING=NAME, as prediction=output.")
            if meaning not in MEANINGS:
                hint = did_you_mean(meaning, MEANINGS)
                raise InputError(f"--column {option}: a column means one of {', '.join(MEANINGS)}{hint}")
            if meaning in named:
                raise InputError(f"--column {option}: {meaning} is {named[meaning]!r} already.")
            named[meaning] = name
        return cls(named)


@dataclass(frozen=True)
class File:
    """A file of results: its table, and what its columns mean."""

    name: str
    table: pd.DataFrame
    means: dict[str, str]
    """Meaning to the column; those that the file does not have are left out."""
    references: list[str]
    """The columns of the references; empty where another file has them."""
    costs: list[str]
    scores: list[str]
    """Scores of whole corpora, of a file without predictions."""
    unread: list[str]
    """The columns that mean nothing here."""


def read(names: Sequence[str], columns: Columns, metric: str) -> list[File]:
    """Read files of results; `metric` is the score that a file without predictions must have.

    Raises:
        InputError: one cannot be read, is empty or lacks a column, or none has one that `columns` names.
    """
    files = [_read(name, columns, metric) for name in names]
    for meaning, column in columns.named.items():
        if not any(meaning in file.means or (meaning == "references" and file.references) for file in files):
            first = files[0]
            raise InputError(
                f"--column {meaning}={column}: {', '.join(file.name for file in files)} "
                f"{'has' if len(files) == 1 else 'have'} no such column; {first.name} has "
                f"{_named(first.table)}{did_you_mean(column, list(first.table))}"
            )
    return files


def _read(name: str, columns: Columns, metric: str) -> File:
    table = read_split(name).rename(columns=str)
    if table.empty:
        raise InputError(f"{name} holds no rows.")
    means = {m: columns.named.get(m, m) for m in MEANINGS if columns.named.get(m, m) in table}
    has_predictions = "prediction" in means
    scores = [] if has_predictions else [c for c in table if c in metrics.scores() or c == metric]
    if has_predictions and not {"id", "source"} & means.keys():
        raise InputError(
            f"{name} has neither a column 'id' nor 'source', which say of which example a prediction is; it "
            f"has {_named(table)}. Name it: --column id=NAME."
        )
    if not has_predictions and metric not in scores:
        raise InputError(
            f"{name} has neither a column 'prediction' nor one of the score {metric!r}; it has "
            f"{_named(table)}. Name it: --column prediction=NAME."
        )
    references = _references(table, columns) if has_predictions else []
    costs = [column for column in table if column in COST_FIGURES]
    known = {*means.values(), *references, *costs, *scores}
    return File(name, table, means, references, costs, scores, [c for c in table if c not in known])


def _references(table: pd.DataFrame, columns: Columns) -> list[str]:
    """List the columns of references: the named one, `references`, `reference`, or those with numbers."""
    names = [columns.named["references"]] if "references" in columns.named else ["references", "reference"]
    return next((found for name in names if (found := columns_of(name, table))), [])


def _named(table: pd.DataFrame) -> str:
    return ", ".join(map(repr, table))
