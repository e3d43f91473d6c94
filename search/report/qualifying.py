"""The report's sections on the search: what tuning brought, how the trials ended, where they were stopped."""

import pandas as pd

from search.report import tables
from search.report.markdown import DASH, bullets, code, number, points, quantity, section, table
from search.report.names import compact, metric_name
from search.results import Results

_ENDS = {
    "completed": "Completed",
    "stopped": "Stopped early",
    "diverged": "Diverged",
    "out_of_memory": "Out of memory",
    "failed": "Failed",
}


def tuning(results: Results) -> str:
    """Each method's untuned default against its best trial."""
    rows = [
        [
            code(method),
            _default(row),
            points(row["tuned"]),
            number(row["gain"], "+.2f"),
            DASH if pd.isna(row["winner"]) else code(row["winner"]),
        ]
        for method, row in tables.tuning(results).iterrows()
    ]
    note = (
        f"{metric_name(results)} on validation, in points. The gain is left open where the default did not "
        "reach the full budget."
    )
    header = ["Method", "Untuned default", "Tuned", "Gain", "Best trial"]
    return section("What tuning brought", table(header, rows), note)


def search(results: Results) -> str:
    """How each method's trials ended, and which one won."""
    planned = results.sweep.qualifying.trials_per_method
    rows = [
        [
            code(method),
            f"{row['done']} of {planned}",
            *(str(row[end]) for end in _ENDS),
            points(row["best_validation"]),
            quantity(row["search_seconds"]),
        ]
        for method, row in tables.search(results).iterrows()
    ]
    note = (
        f"Best validation: {metric_name(results)} of the winner, the completed trial whose last score is the "
        "highest. Seconds: training and evaluation, summed over the trials."
    )
    header = ["Method", "Trials done", *_ENDS.values(), "Best validation", "Seconds"]
    return section("Search", table(header, rows), note, bullets(_winners(results)))


def stopping(results: Results) -> str:
    """Where trials were stopped early."""
    rungs = tables.rungs(results)
    if not rungs:
        return section("Early stopping", "No trial has been scored yet.")
    stops = tables.stops(results).set_index(["method", "examples"])
    rows = [
        [code(method), *(_stopped(stops.loc[(method, examples)]) for examples in rungs)]
        for method in results.methods
    ]
    note = (
        "Trials stopped at each rung, of those that reached it; a rung is a number of training examples. "
        "A trial competes with trials of its own method only."
    )
    header = ["Method", *(f"{examples:,} examples" for examples in rungs)]
    return section("Early stopping", table(header, rows), note)


def _default(row: pd.Series) -> str:
    score, status = points(row["default"]), row["default_status"]
    if pd.isna(status) or status == "completed":
        return score
    return f"{score} ({status} at {number(row['default_examples'])} examples)"


def _winners(results: Results) -> list[str]:
    winners = tables.search(results).dropna(subset=["winner"])
    return [
        f"Winner {code(row['winner'])}: {code(compact(row['hyperparameters']))}{_peak(row)}"
        for _, row in winners.iterrows()
    ]


def _peak(row: pd.Series) -> str:
    """Said only where the best rung is not the last: the trial was better before it ended."""
    higher = row["best_rung"] > row["best_validation"]
    return f" (an earlier rung scored {points(row['best_rung'])})" if higher else ""


def _stopped(row: pd.Series) -> str:
    return f"{row['stopped']} of {row['reached']}" if row["reached"] else DASH
