"""What a score is: its name in print, and how the scores of documents become that of the corpus."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Sums = NDArray[np.float64]
"""Sufficient statistics summed over documents, (..., statistics)."""
Columns = Mapping[str, Sequence[Any]]
"""A column a name, a row a document."""
References = Literal["mean", "max", "all"]


@dataclass(frozen=True)
class Score:
    """One score of a metric, in points; higher is better."""

    label: str
    """As it is printed, `ROUGE-L`."""
    of_sums: Callable[[Sums], NDArray[np.float64]] | None = None
    """The corpus's score from its summed statistics, (..., statistics) to (...).

    None where the corpus's score is the mean over documents.
    """
    scale: tuple[float, float] = (0.0, 100.0)
    """The lowest and the highest value that it can take, in points; infinite where that is not known."""


@dataclass(frozen=True)
class Rules:
    """What of a task decides how its texts are scored."""

    references: References = "mean"
    """The scores against several references become their mean or the highest; or the metric takes all."""
    labels: tuple[str, ...] = ()
    """The label words of a classification, in a fixed order."""
    bleu_tokenizer: str = "13a"
    module: str | None = None
    """Hub name or path of an `evaluate` module, with `:key` where it gives several values."""
    scale: float = 100.0
    """What an `evaluate` module's values are multiplied by, to be points."""


_STATISTICS = "_statistics"


def statistics_column(score: str) -> str:
    """The column of sufficient statistics, a list a document, beside the column of the score."""
    return score + _STATISTICS


def is_statistics(column: str) -> bool:
    return column.endswith(_STATISTICS)
