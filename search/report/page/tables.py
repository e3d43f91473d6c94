"""The page's own tables: one that sorts, and one that marks the differences that are significant."""

from dataclasses import dataclass

import pandas as pd

from search.report import tables
from search.report.markdown import DASH, known, number, points, quantity, size
from search.report.names import axis_name, score_name
from search.results import Results
from search.verdict import Estimate, MethodVerdict, Pair, Verdict


@dataclass(frozen=True)
class Cell:
    """What is shown, and the number that a column is sorted by (None: last)."""

    text: str
    value: float | None = None
    below: str = ""


@dataclass(frozen=True)
class Table:
    """Rows are named by their first entry, a method."""

    header: list[str]
    rows: list[tuple[str, list[Cell]]]


def methods(results: Results, verdict: Verdict) -> Table:
    """All scores with their intervals, ties, the untuned default on validation, and all costs."""
    scores = list(verdict.methods[0].scores) if verdict.methods else []
    axes = list(dict.fromkeys(axis for method in verdict.methods for axis in method.costs))
    tuned = tables.tuning(results)
    header = [
        *(score_name(score) for score in scores),
        "Ties",
        "Default → tuned",
        *(axis_name(axis).replace("(MiB)", "").strip() for axis in axes),
        "Seeds",
    ]
    rows = [
        (
            method.method,
            [
                *(_estimate(method.scores.get(score)) for score in scores),
                Cell(method.letters),
                _tuning(tuned, method.method),
                *(_cost(method, axis) for axis in axes),
                Cell(str(method.seeds), method.seeds),
            ],
        )
        for method in verdict.methods
    ]
    return Table(header, rows)


def improvements(verdict: Verdict) -> Table:
    """The row's mean minus the column's, in points; a star where the difference is significant."""
    names = [method.method for method in verdict.methods]
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
    ended = "" if row["default_status"] == "completed" else row["default_status"] or ""
    return Cell(f"{points(row['default'])} → {points(row['tuned'])}", _value(row["gain"]), ended)


def _cost(method: MethodVerdict, axis: str) -> Cell:
    cost = method.costs.get(axis)
    if cost is None:
        return Cell(DASH)
    form = size if axis.endswith("_bytes") else number if axis.endswith("_parameters") else quantity
    return Cell(form(cost), cost)


def _difference(pairs: dict[tuple[str, str], Pair], row: str, column: str) -> Cell:
    pair, sign = pairs.get((row, column)), 1
    if pair is None:
        pair, sign = pairs.get((column, row)), -1
    if pair is None:
        return Cell("")
    star = "*" if pair.significant else ""
    return Cell(f"{sign * pair.effect:+.2f}{star}", sign * pair.effect, f"p {pair.p_holm:.2g}")


def _value(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
