"""Copies of a part of the source beside the methods: what a summary must beat, outside the tests."""

from collections.abc import Iterator

import pandas as pd

from search.records import Results
from search.statistics import Comparison
from search.verdict.estimate import estimate
from search.verdict.paired import Paired, by_document
from search.verdict.values import Copy


def copies(results: Results, runs: Paired) -> Iterator[Copy]:
    """Yield each copy that has a score for all compared documents, in the order in which they were scored.

    Its intervals are over documents: a copy has no seed.
    """
    for name, table in results.copies.groupby("copy", sort=False):
        scored = by_document(table)
        if runs.documents and runs.compared.isin(scored.index).all():
            yield _copy(str(name), scored.loc[runs.compared], list(runs.scores))


def _copy(name: str, scored: pd.DataFrame, scores: list[str]) -> Copy:
    units, length = str(scored["units"].iloc[0]), int(scored["length"].iloc[0])
    found = {
        score: Comparison({name: scored[score].to_numpy(float)[None]}, fixed={name})
        for score in scores
        if score in scored
    }
    return Copy(
        copy=name,
        label=_label(name, units, length),
        scores={score: estimate(one, name, score) for score, one in found.items()},
    )


def _label(name: str, units: str, length: int) -> str:
    unit = units.removesuffix("s")
    if name == "longest":
        return f"longest {unit}"
    end = "first" if name == "lead" else "last"
    return f"{end} {unit}" if length == 1 else f"{end} {length} {units}"
