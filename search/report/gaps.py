"""What is missing from a run folder, or not as planned, said in a sentence each."""

from collections.abc import Iterator
from typing import get_args

import pandas as pd

from search.records import Status
from search.report import tables
from search.report.markdown import code, listed
from search.results import BASELINE, Results, winner


def gaps(results: Results) -> list[str]:
    """Nothing for a sweep that has ended well."""
    found = (_search(results), _winners(results), _finals(results), _outdated(results), _baseline(results))
    return [sentence for part in found for sentence in part]


def _search(results: Results) -> Iterator[str]:
    table = tables.search(results)
    planned = results.sweep.qualifying.trials_per_method * len(table)
    done, running = int(table["done"].sum()), int(table["running"].sum())
    if done < planned:
        yield (
            f"The search is not finished: {done} of {planned} trials have ended; running or interrupted: "
            f"{running}; not started: {planned - done - running}."
        )


def _winners(results: Results) -> Iterator[str]:
    for method, row in tables.search(results).iterrows():
        if pd.isna(row["winner"]) and row["done"] == results.sweep.qualifying.trials_per_method:
            ends = [f"{row[end]} {end.replace('_', ' ')}" for end in get_args(Status)[1:] if row[end]]
            yield f"{code(method)} has no winner, no score at the full budget: of its trials {listed(ends)}."


def _finals(results: Results) -> Iterator[str]:
    planned = results.sweep.final.seeds
    done = tables.methods(results)["seeds"].drop(BASELINE)
    if not done.any():
        yield "No run of the final has finished."
        return
    short = [f"{code(method)} {seeds}" for method, seeds in done.items() if seeds < planned]
    if short:
        yield f"Seeds finished, of {planned} planned a method: {listed(short)}."


def _outdated(results: Results) -> Iterator[str]:
    """An extended search may find a better trial than the one that was retrained."""
    for method in results.methods:
        best = winner(results.qualifying(method))
        retrained = results.finals.loc[results.finals["method"] == method, "of_trial"].dropna().unique()
        others = [code(trial) for trial in retrained if best and trial != best.id]
        if best and others:
            yield f"{code(method)} was retrained from {listed(others)}; its winner is now {code(best.id)}."


def _baseline(results: Results) -> Iterator[str]:
    if not tables.methods(results)["seeds"][BASELINE]:
        yield "The untrained model (baseline) has not been scored on test."
