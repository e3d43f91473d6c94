"""The report's section on what tuning brought: each method's default configuration against its best trial."""

import pandas as pd

from search.records import Results
from search.report import tables
from search.report.markdown import code, section, table
from search.report.names import metric_name
from search.verdict import DefaultVerdict, Verdict, listed
from trainables.amounts import DASH, known, number, points
from trainables.status import Status


def tuning(results: Results, verdict: Verdict) -> str:
    """Tabulate the gain from tuning, on validation, and on test where defaults were retrained."""
    values = tables.tuning(results)
    retrained = {default.method: default for default in verdict.untuned if not default.is_winner}
    rows = [
        [
            code(method),
            _default(row),
            points(row["tuned"]),
            DASH if _default_won(row) else number(row["gain"], "+.2f"),
            _best(row),
            *([_gain(retrained.get(str(method)))] if retrained else []),
        ]
        for method, row in values.iterrows()
    ]
    header = ["Method", "Default configuration", "Tuned", "Gain", "Best trial"]
    header += ["Gain on test"] if retrained else []
    lead = _lead([code(method) for method, row in values.iterrows() if _default_won(row)])
    note = " ".join([_NOTE.format(metric_name(results)), *_on_test(results, verdict)])
    return section("What tuning brought", lead, table(header, rows), note)


_NOTE = (
    "{} on validation, in points. Winners are chosen by it, so that the gain flatters them; it is left open "
    "where the default did not reach the full budget."
)


def _default(row: pd.Series) -> str:
    score, status = points(row["default"]), row["default_status"]
    if pd.isna(status) or status == Status.COMPLETED:
        return score
    return f"{score} ({status} at {number(row['default_examples'])} examples)"


def _default_won(row: pd.Series) -> bool:
    return bool(row["winner"] == row["default_trial"])


def _best(row: pd.Series) -> str:
    if pd.isna(row["winner"]):
        return DASH
    return "the default" if _default_won(row) else code(row["winner"])


def _gain(default: DefaultVerdict | None) -> str:
    if default is None:
        return DASH
    interval = f" [{default.low:+.2f}, {default.high:+.2f}]" if known(default.low) else ""
    return f"{default.gain:+.2f}{interval}"


def _lead(methods: list[str]) -> str:
    return f"No trial beat the default configuration of {listed(methods)}." if methods else ""


def _on_test(results: Results, verdict: Verdict) -> list[str]:
    """Explain the last column, or say how to get it."""
    if not all(default.is_winner for default in verdict.untuned):
        limits = any(known(default.low) for default in verdict.untuned if not default.is_winner)
        interval = ", with its 95 % interval" if limits else "; one seed has no interval"
        return [f"On test: the winner's mean minus its default's, retrained alike{interval}."]
    if results.sweep.final.retrain_defaults or len(verdict.untuned) == len(results.searched):
        return []
    return ["`final.retrain_defaults: true` retrains the defaults too and tells the gain on test."]
