"""The report's sections on the search: how the trials ended, and where they were stopped."""

import pandas as pd

from search.records import Results
from search.report import tables
from search.report.coordinates import at_equal_time
from search.report.early_stopping import audit
from search.report.markdown import bullets, code, section, table
from search.report.names import compact, metric_name
from search.verdict import SearchStatistics
from trainables.amounts import DASH, number, points, quantity
from trainables.status import Status


def search(results: Results) -> str:
    """Tabulate how each method's trials ended, and list the winners."""
    ended = tables.search(results)
    always = (Status.COMPLETED, Status.STOPPED)
    ends = [end for end in Status if end in always or (end is not Status.RUNNING and ended[end].any())]
    equal = at_equal_time(results)
    rows = [
        [
            code(method),
            f"{row['done']} of {row['planned']}",
            *(str(row[end]) for end in ends),
            points(row["best_validation"]),
            *([points(equal.get(method))] if len(equal) else []),
            quantity(row["search_seconds"]),
        ]
        for method, row in ended.iterrows()
    ]
    note = (
        f"Best validation: {metric_name(results)} of the winner, the completed trial whose last score is the "
        "highest. Seconds: training and evaluation, summed over the trials."
    )
    if len(equal):
        note += (
            " At equal time: the best of the first trials, those within the seconds of the cheapest search, "
            f"which is {code(equal.name)}'s; equal trials give the other methods more time."
        )
    header = ["Method", "Trials done", *(end.facts.title for end in ends), "Best validation"]
    header += [*(["At equal time"] if len(equal) else []), "Seconds"]
    return section("Search", table(header, rows), note, bullets(_winners(results)))


def stopping(results: Results, quality: list[SearchStatistics]) -> str:
    """Tabulate where trials were stopped early, and what the audit found."""
    rungs = tables.rungs(results)
    if not rungs:
        return section("Early stopping", "No trial has been scored yet.")
    stops = tables.stops(results).set_index(["method", "examples"])
    rows = [
        [
            code(method),
            *(_stopped(stops.loc[(method, examples)]) for examples in rungs),
            f"{tables.full_trainings(results, method):.1f} for {len(results.search(method))} trials",
        ]
        for method in results.searched
    ]
    note = (
        "Trials stopped at each rung, of those that reached it; a rung is a number of training examples. "
        "A trial competes with trials of its own method only. Full trainings: the examples that its trials "
        f"trained on, in full budgets.{_promotion(results)}"
    )
    header = ["Method", *(f"{number(examples)} examples" for examples in rungs), "Full trainings"]
    return section("Early stopping", table(header, rows), note, *audit(results, quality))


def _promotion(results: Results) -> str:
    if results.sweep.search.scheduler != "promote":
        return ""
    return (
        " Each trial was paused at its rung, and the best went on once the rung was full, or where a worker "
        "would have been idle; the default configuration always does. The column `stop_reason` of the "
        "exported trials says each one's rank."
    )


def _winners(results: Results) -> list[str]:
    winners = tables.search(results).dropna(subset=["winner"])
    return [
        f"Winner {code(row['winner'])}: {code(compact(row['hyperparameters']))}{_peak(row)}"
        for _, row in winners.iterrows()
    ]


def _peak(row: pd.Series) -> str:
    """Mention the best rung only where it is not the last: the trial was better before it ended."""
    higher = row["best_rung"] > row["best_validation"]
    return f" (an earlier rung scored {points(row['best_rung'])})" if higher else ""


def _stopped(row: pd.Series) -> str:
    return f"{row['stopped']} of {row['reached']}" if row["reached"] else DASH
