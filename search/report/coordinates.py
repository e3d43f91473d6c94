"""A search as points to draw: what became of each trial, the best so far, and hyperparameters as axes."""

import math
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.records import Record, Results, winner
from search.statistics import running_best
from trainables.amounts import known
from trainables.status import Status

SCORE_AXIS = "score"
_COORDINATES = ["trial", "axis", "value", "place", "score", "examples", "is_full"]

MOST_TRIALS = 200
"""Of a method that are drawn, evenly spaced by their numbers, and its winner: more lines are a thicket."""


def fates(results: Results) -> Iterator[tuple[Record, str]]:
    """Yield each trial with how it ended; one that is still running counts as completed.

    `winner`, `completed`, `stopped early` or `failed`; `audited`: a stopped one as it was run on to the end.
    """
    for method in results.searched:
        records = results.search(method)
        best = winner(records)
        for record in drawn(records, best):
            yield record, "winner" if record is best else record.status.facts.fate
        yield from ((record, "audited") for record in results.audits(method))


def drawn(records: list[Record], best: Record | None) -> list[Record]:
    """Thin a method's trials to `MOST_TRIALS` at most, keeping its winner."""
    stride = -(-len(records) // MOST_TRIALS)
    return [record for place, record in enumerate(records) if place % stride == 0 or record is best]


def best_so_far(results: Results) -> pd.DataFrame:
    """Tabulate ended trials by method and number, each with the best final score so far.

    Columns: method, trial, trials (how many had ended), device_seconds (that they had taken together), best
    (points). Only trials at the full budget count for `best`, but all count for the seconds.
    """
    rows: list[dict[str, Any]] = []
    for method in results.searched:
        ended = [record for record in results.search(method) if record.status.has_ended]
        seconds = accumulate(record.device_seconds for record in ended)
        best = running_best([_full_score(record) for record in ended]).tolist()
        rows += [
            {"method": method, "trial": record.id, "trials": n, "device_seconds": spent, "best": score}
            for n, (record, spent, score) in enumerate(zip(ended, seconds, best, strict=True), start=1)
            if math.isfinite(score)
        ]
    return pd.DataFrame(rows, columns=["method", "trial", "trials", "device_seconds", "best"])


def at_equal_time(results: Results) -> pd.Series:
    """Map method to its best final score within the device seconds that the cheapest method's search took.

    Of the methods that have such a score; NaN for one that had none by then. The series goes by the name of
    the cheapest, and is empty where fewer than two methods have a score. A method's trials count in the order
    of their numbers, as if each had begun when the one before it ended.
    """
    best = best_so_far(results)
    spent = {
        str(method): sum(r.device_seconds for r in results.search(str(method)) if r.status.has_ended)
        for method in best["method"].unique()
    }
    if len(spent) < 2:
        return pd.Series(dtype=float)
    cheapest = min(spent, key=spent.__getitem__)
    within = best[best["device_seconds"] <= spent[cheapest] * (1 + 1e-9)]
    return within.groupby("method")["best"].max().reindex(list(spent)).rename(cheapest)


def _full_score(record: Record) -> float:
    score = record.score
    return score if record.status is Status.COMPLETED and known(score) else math.nan


def coordinates(results: Results, method: str) -> pd.DataFrame:
    """Tabulate scored trials by axis: each searched hyperparameter that varies, and the score last.

    Columns: trial, axis, value (as it is), place (0 to 1 between the least and the greatest value tried, on a
    logarithm where the space has one), score (the last one, in points, of stopped trials too), examples (that
    had been seen then), is_full (trained to the end: scores at two budgets do not compare).
    """
    scored = [record for record in results.search(method) if known(record.score)]
    records = drawn(scored, winner(scored))
    space = results.sweep.spaces()[method].distributions if method in results.sweep.methods else {}
    rows = [row for name in space for row in _axis(name, records, space[name])]
    if rows:
        rows += _rows(SCORE_AXIS, records, [record.score for record in records], is_log=False)
    return pd.DataFrame(rows, columns=_COORDINATES)


def axis_ends(table: pd.DataFrame) -> pd.DataFrame:
    """Select the rows of `coordinates` with the least and the greatest value of each axis, one of each."""
    places = table.groupby("axis")["place"]
    return table.loc[[*places.idxmin(), *places.idxmax()]]


def _axis(name: str, records: list[Record], dimension: BaseDistribution) -> list[dict[str, Any]]:
    values = [record.hyperparameters.get(name) for record in records]
    if None in values or len(set(values)) < 2:
        return []
    if isinstance(dimension, CategoricalDistribution):
        order = list(dict.fromkeys([*(choice for choice in dimension.choices if choice in values), *values]))
        places = [order.index(value) / (len(order) - 1) for value in values]
        return [_row(r, name, v, p) for r, v, p in zip(records, values, places, strict=True)]
    return _rows(name, records, values, is_log=bool(getattr(dimension, "log", False)))


def _rows(name: str, records: list[Record], values: list[Any], *, is_log: bool) -> list[dict[str, Any]]:
    scaled = [math.log(value) if is_log else float(value) for value in values]
    low, high = min(scaled), max(scaled)
    places = [(value - low) / (high - low) if high > low else 0.5 for value in scaled]
    return [_row(r, name, v, p) for r, v, p in zip(records, values, places, strict=True)]


def _row(record: Record, axis: str, value: Any, place: float) -> dict[str, Any]:
    shown = f"{value:.3g}" if isinstance(value, float) else str(value)
    ended = (record.rungs[-1].examples, record.status is Status.COMPLETED)
    return dict(zip(_COORDINATES, (record.id, axis, shown, place, record.score, *ended), strict=True))
