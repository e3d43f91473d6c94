"""The final's scores a document, brought together by the documents' ids."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from search.records import Phase, Results
from search.statistics import Corpus, Scores
from search.verdict.runs import counting
from search.verdict.values import default_name
from trainables.errors import InputError
from trainables.metrics import get, is_statistics, statistics_column


@dataclass(frozen=True)
class Paired:
    """Scores of the runs that count, on the documents that all of them share."""

    scores: dict[str, dict[str, Scores | Corpus]]
    """Score name to method to points, (seeds, documents), or to the corpus that the score is of; the task's
    metric comes first.

    Without documents in common, a method's seeds have one column, their records' score.
    """
    compared: pd.Index
    """The documents that are compared, each by its id and how often that came before."""
    dropped: int
    """Documents that some run has and another has not, or has no finite score for."""
    left_out: list[str]
    """Ended runs of the final without scores a document."""

    @property
    def documents(self) -> int:
        """How many documents are compared."""
        return len(self.compared)

    @property
    def by_method(self) -> dict[str, Scores | Corpus]:
        """Method to scores of the task's metric."""
        return next(iter(self.scores.values()))


def paired(results: Results, *, with_defaults: bool = False) -> Paired:
    """Read the predictions of every run of the final that has ended with a finite score.

    `with_defaults`: of the retrained defaults too, each under its `default_name`.
    """
    metric = results.sweep.task.metric
    ended = counting(results.finals)
    ended = ended[ended["origin"] != "quoted"]
    runs = _runs(results, ended)
    if with_defaults:
        retrained = counting(results.retrained_defaults)
        runs |= {(default_name(m), seed): t for (m, seed), t in _runs(results, retrained, "untuned").items()}
        ended = pd.concat([ended, retrained.assign(method=retrained["method"].map(default_name))])
    tables = {run: table for run, table in runs.items() if table is not None}
    shared, union = _documents([table[metric].dropna().index for table in tables.values()])
    if shared.empty:
        return Paired({metric: _of_records(ended)}, compared=shared, dropped=len(union), left_out=[])
    return Paired(
        scores={name: _stacked(tables, shared, name) for name in _names(tables, metric)},
        compared=shared,
        dropped=len(union) - len(shared),
        left_out=[f"{method}/seed-{seed}" for (method, seed), table in runs.items() if table is None],
    )


def _runs(
    results: Results, ended: pd.DataFrame, phase: Phase = "final"
) -> dict[tuple[str, int], pd.DataFrame | None]:
    """Map (method, seed) to the run's scores, a row a document; None where it has none."""
    names = zip(ended["method"], ended["seed"], strict=True)
    return {(str(method), int(seed)): _table(results, method, seed, phase) for method, seed in names}


def _table(results: Results, method: str, seed: int, phase: Phase) -> pd.DataFrame | None:
    """Read a run's finite scores, a row a document; None where it has none."""
    metric = results.sweep.task.metric
    try:
        table = results.predictions(method, seed, phase)
    except InputError:
        return None
    table = by_document(table)
    scores = table.select_dtypes("number").replace([np.inf, -np.inf], np.nan)
    if metric not in scores or scores[metric].isna().all():
        return None
    return scores.join(table[[column for column in table if is_statistics(column)]])


def by_document(table: pd.DataFrame) -> pd.DataFrame:
    """Index rows by their document's id and by how often that came before."""
    return table.set_index([table["id"], table.groupby("id").cumcount()]).drop(columns="id")


def _documents(indices: list[pd.Index]) -> tuple[pd.Index, pd.Index]:
    """Return the documents that all indices share, in the first one's order, and those of any index."""
    shared, union = (indices[0], indices[0]) if indices else (pd.Index([]), pd.Index([]))
    for index in indices[1:]:
        shared, union = shared[shared.isin(index)], union.union(index)
    return shared, union


def _names(tables: dict[tuple[str, int], pd.DataFrame], metric: str) -> Iterator[str]:
    """Yield the scores that every run has, the task's metric first."""
    yield metric
    first, *others = tables.values()
    shared = (name for name in first if all(name in table for table in others))
    yield from (name for name in shared if name != metric and not is_statistics(name))


def _stacked(
    tables: dict[tuple[str, int], pd.DataFrame], documents: pd.Index, score: str
) -> dict[str, Scores | Corpus]:
    methods = dict.fromkeys(method for method, _ in tables)
    runs = {name: [t.loc[documents] for (m, _), t in tables.items() if m == name] for name in methods}
    of_sums = get(score).of_sums
    if of_sums is None:
        return {name: np.stack([run[score].to_numpy(float) for run in runs[name]]) for name in methods}
    return {name: Corpus(_statistics(runs[name], score), of_sums) for name in methods}


def _statistics(runs: list[pd.DataFrame], score: str) -> Scores:
    """Stack a score's sufficient statistics into an array (seeds, documents, statistics)."""
    column = statistics_column(score)
    return np.array([np.stack(run[column].to_list()) for run in runs], dtype=float)


def _of_records(ended: pd.DataFrame) -> dict[str, Scores | Corpus]:
    grouped = ended.groupby("method", sort=False)["score"]
    return {str(method): scores.to_numpy(float)[:, None] for method, scores in grouped}
