"""The values of the report's tables, unrounded. What is not known is NaN; drawing makes a dash of it."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

import pandas as pd

from search.records import (
    BASELINE,
    Phase,
    Record,
    Results,
    last_line,
    planned_trials,
    winner,
)
from search.verdict import default_name, over_seeds
from trainables.cost.declared import tabled
from trainables.status import Status


def score_names(results: Results) -> list[str]:
    """List the scores of the finals' metrics; before there are any, the task's metric."""
    finals = [record for record in results.records if record.phase == "final" and record.rungs]
    found = [name for record in finals for name in record.rungs[-1].scores]
    return list(dict.fromkeys([*found, results.sweep.task.metric]))


def methods(results: Results) -> pd.DataFrame:
    """Tabulate methods and baseline, the highest mean of the task's metric first, those without one last.

    Columns as `over_seeds` has them: scores in points, the cost figures that have a column, and `seeds`.
    """
    return _of_runs(results, results.finals, [*results.methods, BASELINE])


def retrained_defaults(results: Results) -> pd.DataFrame:
    """Tabulate retrained defaults as `methods` does, each under its `default_name`."""
    runs = results.retrained_defaults
    table = _of_runs(results, runs, list(dict.fromkeys(runs["method"])))
    return table.rename(index=default_name)


def _of_runs(results: Results, runs: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    scores = score_names(results)
    measured = [f"{score}_{what}" for score in scores for what in ("mean", "sd")]
    columns = [*measured, *(figure.name for figure in tabled()), "seeds"]
    table = over_seeds(runs, scores)[columns].reindex(pd.Index(names, name="method"))
    table = table.assign(seeds=table["seeds"].fillna(0).astype(int))
    return table.sort_values(f"{results.sweep.task.metric}_mean", ascending=False, kind="stable")


def tuning(results: Results) -> pd.DataFrame:
    """Compare each method's default configuration with its best trial, on validation; a row a method.

    `gain` is known only where the default was trained to the end: a score at a smaller budget does not
    measure what the default is worth.
    """
    rows = {method: _tuning(results.search(method)) for method in results.searched}
    table = _by_method(rows, _tuning([])).astype(
        {"default": float, "default_examples": float, "tuned": float}
    )
    gain = table["tuned"] - table["default"]
    return table.assign(gain=gain.where(table["default_status"] == Status.COMPLETED))


def _tuning(records: list[Record]) -> dict[str, Any]:
    default, best = next((r for r in records if r.origin == "default"), None), winner(records)
    return {
        "default_trial": default.id if default else None,
        "default": default.score if default else None,
        "default_status": default.status.value if default else None,
        "default_examples": default.rungs[-1].examples if default and default.rungs else None,
        "tuned": best.score if best else None,
        "winner": best.id if best else None,
    }


def search(results: Results) -> pd.DataFrame:
    """Count how each method's trials ended, with its winner and its seconds of training and evaluation."""
    rows = {method: _search(results, method) for method in results.searched}
    columns = _search(results, BASELINE)
    return _by_method(rows, columns).astype({"best_validation": float, "best_rung": float})


def _search(results: Results, method: str) -> dict[str, Any]:
    records = results.search(method)
    ends, best = Counter(record.status for record in records), winner(records)
    return {
        "planned": planned_trials(results.sweep, method, records),
        "done": sum(record.status.has_ended for record in records),
        **{status.value: ends[status] for status in Status},
        "best_validation": best.score if best else None,
        "best_rung": best.best_score if best else None,
        "winner": best.id if best else None,
        "hyperparameters": best.hyperparameters if best else None,
        "search_seconds": sum(record.device_seconds for record in records),
    }


def stops(results: Results) -> pd.DataFrame:
    """Count by method and rung (its budget in examples) trials that reached it and those stopped there."""
    rows = []
    for method in results.searched:
        records = results.search(method)
        for rung, examples in enumerate(rungs(results)):
            reached = sum(len(record.rungs) > rung for record in records)
            stopped = sum(record.stop is not None and record.stop.rung == rung for record in records)
            rows.append((method, examples, reached, stopped))
    return pd.DataFrame(rows, columns=["method", "examples", "reached", "stopped"])


def full_trainings(results: Results, method: str) -> float:
    """Sum the examples that a method's search has trained on, in full budgets; NaN before any rung."""
    trained = sum(record.rungs[-1].examples for record in results.search(method) if record.rungs)
    budgets = rungs(results)
    return trained / budgets[-1] if budgets else math.nan


def rungs(results: Results) -> list[int]:
    """List the budgets, in examples, at which trials are scored; the last is the full budget.

    Where the plan is not known, the fewest examples that any trial had seen there: each trains on to the
    end of its batch.
    """
    planned: list[int] = results.provenance.get("budget", {}).get("rungs", [])
    seen: dict[int, int] = {}
    for record in results.records:
        for rung in record.rungs if record.phase == "search" else []:
            seen[rung.rung] = min(rung.examples, seen.get(rung.rung, rung.examples))
    return planned or [seen[rung] for rung in sorted(seen)]


def failures(results: Results) -> pd.DataFrame:
    """Tabulate trials and finals that diverged or failed, with the last line of their traceback."""
    columns = ["id", "status", "retries", "reason"]
    rows = [
        (record.id, record.status.value, record.failures, last_line(record.error))
        for record in results.records
        if record.status.facts.has_failed
    ]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class DeviceSeconds:
    """Seconds that the sweep has cost so far: start-up, training and evaluation of all workers."""

    search: float
    final: float
    """Default configurations included."""
    audit: float
    """Beyond what the audited trials had cost when they were stopped."""

    @property
    def total(self) -> float:
        return self.search + self.final + self.audit


def device_seconds(results: Results) -> DeviceSeconds:
    spent = dict.fromkeys(get_args(Phase), 0.0)
    trials = {record.id: record for record in results.records}
    for record in results.records:
        if record.is_foreign:
            continue
        spent[record.phase] += record.spent_seconds - _before(record, trials.get(record.of_trial or ""))
    return DeviceSeconds(spent["search"], spent["final"] + spent["untuned"], spent["audit"])


def _before(record: Record, trial: Record | None) -> float:
    """Return the seconds that an audit took over from the trial whose checkpoint it continued."""
    if record.phase != "audit" or trial is None or record.rungs[: len(trial.rungs)] != trial.rungs:
        return 0.0
    return trial.spent_seconds


def _by_method(rows: dict[str, dict[str, Any]], columns: Iterable[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows.values()), index=pd.Index(rows, name="method"), columns=list(columns))
