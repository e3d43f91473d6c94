"""The page's own tables: one that sorts, and one that marks the differences that are significant."""

from dataclasses import dataclass

import pandas as pd

from search.records import Results
from search.report import tables
from search.report.scored import scored
from search.verdict import Estimate, Pair, Verdict, score_name
from trainables.amounts import DASH, known, points
from trainables.cost.declared import COST_FIGURES
from trainables.status import Status


@dataclass(frozen=True)
class Cell:
    """Text of a cell, and the number that its column is sorted by (None: last)."""

    text: str
    value: float | None = None
    below: str = ""


@dataclass(frozen=True)
class Table:
    """A table whose rows begin with the name of what they are of."""

    header: list[str]
    rows: list[tuple[str, list[Cell]]]


def methods(results: Results, verdict: Verdict) -> Table:
    """Tabulate scores with intervals, ties, the gain from tuning on validation, and all costs."""
    tuned, rows = tables.tuning(results), scored(results, verdict)
    scores = list(dict.fromkeys(score for row in rows for score in row.scores))
    axes = list(dict.fromkeys(axis for row in rows for axis in row.costs))
    header = [
        *(score_name(score) for score in scores),
        *(["Ties"] if verdict.lead else []),
        *([] if results.sweep.imported else ["Default → tuned, on validation"]),
        *(COST_FIGURES[axis].heading for axis in axes),
        "Seeds",
    ]
    cells = [
        [
            *(_estimate(row.scores.get(score)) for score in scores),
            *([Cell(row.letters)] if verdict.lead else []),
            *([] if results.sweep.imported else [_tuning(tuned, row.name)]),
            *(_cost(row.costs.get(axis), axis) for axis in axes),
            Cell(DASH) if row.seeds is None else Cell(str(row.seeds), row.seeds),
        ]
        for row in rows
    ]
    return Table(header, list(zip((row.label.strip("`") for row in rows), cells, strict=True)))


def improvements(verdict: Verdict) -> Table:
    """Tabulate the row's mean minus the column's, in points; a star marks a significant difference."""
    names = [method.method for method in verdict.methods if method.method not in verdict.uncompared]
    pairs = {(pair.better, pair.worse): pair for pair in verdict.pairs}
    rows = [(row, [_difference(pairs, row, column) for column in names]) for row in names]
    return Table(names, rows if len(names) > 1 else [])


def _estimate(estimate: Estimate | None) -> Cell:
    if estimate is None or not known(estimate.mean):
        return Cell(DASH)
    interval = f"{points(estimate.low)} to {points(estimate.high)}" if known(estimate.low) else ""
    return Cell(points(estimate.mean), estimate.mean, interval)


def _tuning(tuned: pd.DataFrame, method: str) -> Cell:
    if method not in tuned.index:
        return Cell(DASH)
    row = tuned.loc[method]
    ended = "" if row["default_status"] == Status.COMPLETED else row["default_status"] or ""
    return Cell(f"{points(row['default'])} → {points(row['tuned'])}", _value(row["gain"]), ended)


def _cost(cost: float | None, axis: str) -> Cell:
    if cost is None:
        return Cell(DASH)
    return Cell(COST_FIGURES[axis].unit.shown(cost), cost)


def _difference(pairs: dict[tuple[str, str], Pair], row: str, column: str) -> Cell:
    pair, sign = pairs.get((row, column)), 1
    if pair is None:
        pair, sign = pairs.get((column, row)), -1
    if pair is None:
        return Cell("")
    star, difference = "*" if pair.significant else "", sign * pair.effect + 0.0  # no zero below zero
    return Cell(
        f"{difference:+.2f}{star}", difference, f"p {pair.p_corrected:.2g}" if known(pair.p_corrected) else ""
    )


def _value(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
