"""What is missing from a run folder, or not as planned, said in a sentence each."""

from collections.abc import Iterator

import pandas as pd

from search.records import BASELINE, Results, winner
from search.report import tables
from search.report.markdown import code
from search.report.names import method_name
from search.verdict import listed
from trainables.amounts import number, points
from trainables.status import Status

_COLLAPSED = 0.9
"""A winner that ends with less than this share of its best score has lost more than evaluations scatter."""


def gaps(results: Results) -> list[str]:
    """List what is missing or not as planned; empty for a sweep that ended well."""
    parts = (_imported, _search, _winners, _collapsed, _finals, _outdated, _baseline, _beside)
    return [sentence for part in parts for sentence in part(results)]


def _imported(results: Results) -> Iterator[str]:
    """Name what another tool has run: neither its search nor its training is known here."""
    foreign = {record.method for record in results.records if record.is_foreign}
    if foreign and not results.sweep.imported:
        names = [method_name(name) for name in [*results.imported, BASELINE] if name in foreign]
        yield f"Imported, and not run by tuneoff: {listed(names)}."


def _search(results: Results) -> Iterator[str]:
    table = tables.search(results)
    planned = int(table["planned"].sum())
    done, running, paused = (int(table[column].sum()) for column in ("done", Status.RUNNING, Status.PAUSED))
    if done < planned:
        waiting = f" paused: {paused};" if paused else ""
        yield (
            f"The search is not finished: {done} of {planned} trials have ended; running or interrupted: "
            f"{running};{waiting} not started: {planned - done - running - paused}."
        )


def _winners(results: Results) -> Iterator[str]:
    for method, row in tables.search(results).iterrows():
        if pd.isna(row["winner"]) and row["done"] == row["planned"]:
            ends = [f"{row[end]} {end.replace('_', ' ')}" for end in Status if end.has_ended and row[end]]
            yield f"{code(method)} has no winner, no score at the full budget: of its trials {listed(ends)}."


def _collapsed(results: Results) -> Iterator[str]:
    """Tell which winners ended far below what they had scored at an earlier rung."""
    for method in results.searched:
        best = winner(results.search(method))
        if best is None or best.score is None or best.best_score is None:
            continue
        if best.score < _COLLAPSED * best.best_score:
            peak = next(rung for rung in best.rungs if rung.score == best.best_score)
            yield (
                f"**The winner of {code(method)} collapsed**: {code(best.id)} scored {points(peak.score)} at "
                f"{number(peak.examples)} examples and {points(best.score)} at the end, by which it "
                "counts. A smaller budget or lower learning rates may serve this method better."
            )


def _finals(results: Results) -> Iterator[str]:
    planned = results.sweep.final.seeds
    done = tables.methods(results)["seeds"].drop(BASELINE)
    if not results.sweep.imported:
        done = done.drop(results.imported)
    if not done.any():
        yield "No run of the final has finished."
        return
    short = [f"{code(method)} {seeds}" for method, seeds in done.items() if seeds < planned]
    if short:
        yield f"Seeds finished, of {planned} planned a method: {listed(short)}."


def _outdated(results: Results) -> Iterator[str]:
    """Tell which methods were retrained from a trial that an extended search has beaten since."""
    for method in results.searched:
        best = winner(results.search(method))
        retrained = results.finals.loc[results.finals["method"] == method, "of_trial"].dropna().unique()
        others = [code(trial) for trial in retrained if best and trial != best.id]
        if best and others:
            yield f"{code(method)} was retrained from {listed(others)}; its winner is now {code(best.id)}."


def _beside(results: Results) -> Iterator[str]:
    """Tell which default configurations and audits have not ended; they decide nothing."""
    for phase, name in (("untuned", "retrained defaults"), ("audit", "audited trials")):
        running = [not record.status.has_ended for record in results.records if record.phase == phase]
        if any(running):
            yield f"Of the {len(running)} {name}, {sum(running)} have not ended."


def _baseline(results: Results) -> Iterator[str]:
    if not results.sweep.imported and not tables.methods(results)["seeds"][BASELINE]:
        yield "The untrained model (baseline) has not been scored on test."
