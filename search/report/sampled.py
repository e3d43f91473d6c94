"""A few documents with every method's output, chosen by rule and not by eye."""

from dataclasses import dataclass

import pandas as pd

from search.records import BASELINE, Results
from search.report.tables import methods as methods_table
from trainables.status import Status

SEED = 0
"""The seed index whose outputs are shown."""


@dataclass(frozen=True)
class Output:
    """What one method wrote, with its score in points."""

    method: str
    prediction: str
    score: float


@dataclass(frozen=True)
class Example:
    """One document of the test split. Scores are the task's metric, in points."""

    id: str
    source: str
    references: list[str]
    mean_score: float
    """Over the methods; over the baseline where no method has been scored."""
    outputs: list[Output]
    """The baseline first, then the methods, the best on the whole split first."""


def choose(results: Results, count: int = 5) -> list[Example]:
    """Choose documents at evenly spaced quantiles of the mean score over the methods, the worst first.

    The middles of `count` equal shares, so that neither the worst nor the best document of all, which
    are mostly curiosities, is shown. Equal scores are ordered by id.
    """
    tables = _predictions(results)
    if not tables:
        return []
    metric = results.sweep.task.metric
    scores = pd.DataFrame({method: table[metric] for method, table in tables.items()}).dropna()
    mean = scores[[name for name in scores if name != BASELINE] or [BASELINE]].mean(axis=1)
    ranked = mean.sort_index().sort_values(kind="stable")
    shown = min(count, len(ranked))
    places = [(2 * i + 1) * len(ranked) // (2 * shown) for i in range(shown)]
    return [_example(tables, str(ranked.index[i]), float(ranked.iloc[i]), metric) for i in places]


def shown_methods(results: Results) -> list[str]:
    """List the baseline and the methods that have outputs of the shown seed."""
    ranking = [name for name in methods_table(results).index if name != BASELINE]
    return [name for name in [BASELINE, *ranking] if _at_hand(results, name)]


def _predictions(results: Results) -> dict[str, pd.DataFrame]:
    tables = {name: results.predictions(name, SEED) for name in shown_methods(results)}
    return {name: table.set_index(table["id"].astype(str)) for name, table in tables.items()}


def _at_hand(results: Results, method: str) -> bool:
    record = results.final(method, SEED)
    return (
        record is not None
        and record.status is Status.COMPLETED
        and record.id not in results.damaged_predictions
        and results.folder.predictions_file(record).is_file()
    )


def _example(tables: dict[str, pd.DataFrame], document: str, mean_score: float, metric: str) -> Example:
    rows = {method: table.loc[document] for method, table in tables.items()}
    first = next(iter(rows.values()))
    outputs = [Output(method, row["prediction"], float(row[metric])) for method, row in rows.items()]
    return Example(document, first["source"], first["references"], mean_score, outputs)
