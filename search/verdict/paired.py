"""The final's scores a document, brought together by the documents' ids."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from search.results import Results
from search.statistics.comparison import Scores
from trainables.errors import InputError


@dataclass(frozen=True)
class Paired:
    """What can be compared: the runs that have ended, on the documents that all of them have."""

    scores: dict[str, dict[str, Scores]]
    """Score name to method to points, (seeds, documents); the task's metric comes first.

    Without documents in common, a method's seeds have one column, their records' score.
    """
    documents: int
    """How many documents are compared."""
    dropped: int
    """Documents that some run has and another has not, or has no finite score for."""
    left_out: list[str]
    """Ended runs of the final without scores a document."""

    @property
    def by_method(self) -> dict[str, Scores]:
        """The task's metric."""
        return next(iter(self.scores.values()))


def paired(results: Results) -> Paired:
    """Read the predictions of every run of the final that has ended with a finite score."""
    metric = results.sweep.task.metric
    finals = results.finals
    ended = finals[(finals["status"] == "completed") & np.isfinite(finals["score"])]
    names = zip(ended["method"], ended["seed"], strict=True)
    runs = {(str(method), int(seed)): _table(results, method, seed) for method, seed in names}
    tables = {run: table for run, table in runs.items() if table is not None}
    shared, union = _documents([table[metric].dropna().index for table in tables.values()])
    if shared.empty:
        return Paired({metric: _of_records(ended)}, documents=0, dropped=len(union), left_out=[])
    return Paired(
        scores={name: _stacked(tables, shared, name) for name in _names(tables, metric)},
        documents=len(shared),
        dropped=len(union) - len(shared),
        left_out=[f"{method}/seed-{seed}" for (method, seed), table in runs.items() if table is None],
    )


def _table(results: Results, method: str, seed: int) -> pd.DataFrame | None:
    """A run's finite scores by document; None where it has none."""
    metric = results.sweep.task.metric
    try:
        table = results.predictions(method, seed)
    except InputError:
        return None
    occurrence = table.groupby("id").cumcount()
    scores = table.drop(columns="id").select_dtypes("number").replace([np.inf, -np.inf], np.nan)
    if metric not in scores or scores[metric].isna().all():
        return None
    return scores.set_index([table["id"], occurrence])


def _documents(indices: list[pd.Index]) -> tuple[pd.Index, pd.Index]:
    """Those that all have, in the first one's order, and those that any has."""
    shared, union = (indices[0], indices[0]) if indices else (pd.Index([]), pd.Index([]))
    for index in indices[1:]:
        shared, union = shared[shared.isin(index)], union.union(index)
    return shared, union


def _names(tables: dict[tuple[str, int], pd.DataFrame], metric: str) -> Iterator[str]:
    """The scores that every run has."""
    yield metric
    first, *others = tables.values()
    yield from (n for n in first if n != metric and all(n in table for table in others))


def _stacked(
    tables: dict[tuple[str, int], pd.DataFrame], documents: pd.Index, score: str
) -> dict[str, Scores]:
    methods = dict.fromkeys(method for method, _ in tables)
    return {
        name: np.stack([t.loc[documents, score].to_numpy(float) for (m, _), t in tables.items() if m == name])
        for name in methods
    }


def _of_records(ended: pd.DataFrame) -> dict[str, Scores]:
    grouped = ended.groupby("method", sort=False)["score"]
    return {str(method): scores.to_numpy(float)[:, None] for method, scores in grouped}
