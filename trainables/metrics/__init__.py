"""What texts are scored by, one file a metric, found by its name.

A metric's file holds

- `SCORES`: its scores by name, each with its label, and how it is computed for a corpus;
- `REFERENCES`: the rules for several references that it knows, its own first;
- `PAPERS`, where a paper should be cited for it: keys of `search/report/paper/references.bib`;
- `measure(predictions, references, rules)`: a column a score with a value a document, in points, and for
  each score that is no mean over documents its sufficient statistics, as `statistics_column` names them;
- `signature(rules, references)`: what else moves the numbers, for a reader who would compare them.

Names are known without loading what computes them. A score that no file knows is one of `evaluate`.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from math import inf
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import numpy as np

from trainables.metrics._score import Columns, References, Rules, Score, is_statistics, statistics_column
from trainables.metrics.evaluate import LOWER_IS_BETTER, check, named

__all__ = [
    "LOWER_IS_BETTER",
    "Columns",
    "References",
    "Rules",
    "Score",
    "available",
    "check",
    "get",
    "is_statistics",
    "label",
    "measure",
    "metric_of",
    "named",
    "of_corpus",
    "papers",
    "references",
    "scores",
    "signature",
    "statistics_column",
]


def available() -> list[str]:
    """Return the names of all metrics."""
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


@cache
def scores() -> dict[str, str]:
    """Map every score's name to the metric that it belongs to."""
    return {name: metric for metric in available() for name in _module(metric).SCORES}


def metric_of(score: str) -> str:
    """Return the metric that computes the score."""
    return scores().get(score, "evaluate")


def get(score: str) -> Score:
    """Return a score by its name; one that no file knows is a mean over documents."""
    known: dict[str, Score] = _module(metric_of(score)).SCORES
    return known.get(score) or Score(named(score).label, scale=(-inf, inf))


def label(score: str) -> str:
    """Return a score's name in print."""
    return get(score).label


def references(metric: str) -> tuple[References, ...]:
    """Return the rules for several references that a metric knows, its own first."""
    known: tuple[References, ...] = _module(metric).REFERENCES
    return known


def papers(metric: str) -> tuple[str, ...]:
    """Return the keys of the papers to cite for a metric."""
    keys: tuple[str, ...] = getattr(_module(metric), "PAPERS", ())
    return keys


def measure(
    metrics: Sequence[str], predictions: Sequence[str], references: Sequence[Sequence[str]], rules: Rules
) -> dict[str, Sequence[Any]]:
    """Score each prediction against its references: a column a score of all `metrics`, a row a document."""
    columns: dict[str, Sequence[Any]] = {}
    for metric in metrics:
        columns |= _module(metric).measure(predictions, references, rules)
    return columns


def of_corpus(columns: Columns) -> dict[str, float]:
    """Compute each score of the whole corpus, in points, from the columns of `measure`."""
    return {name: _of_corpus(name, columns) for name in columns if not is_statistics(name)}


def signature(metric: str, rules: Rules, references: int | None) -> str:
    """Describe how the metric is computed; `references` a document, None where their number varies."""
    told: str = _module(metric).signature(rules, references)
    return told


def _of_corpus(score: str, columns: Columns) -> float:
    of_sums = get(score).of_sums
    if of_sums is None:
        return float(np.mean(columns[score]))
    return float(of_sums(np.sum(columns[statistics_column(score)], axis=0, dtype=float)))


def _module(metric: str) -> ModuleType:
    assert metric in available(), metric
    return import_module(f"{__name__}.{metric}")
