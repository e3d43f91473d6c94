"""Scores of a whole corpus, as BLEU: functions of sums over its documents, and no mean of their scores."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Corpus:
    """One method's runs as sufficient statistics of the same documents."""

    statistics: Values
    """What of each document is summed up, (seeds, documents, statistics)."""
    of_sums: Callable[[Values], Values]
    """Sums, (..., statistics), to points, (...)."""

    @property
    def pooled(self) -> Values:
        """Each document's statistics, the mean over seeds, (documents, statistics)."""
        return self.statistics.mean(axis=0)

    def influences(self) -> Values:
        """Spread each run's score over its documents by what each adds to it, (seeds, documents).

        The jackknife's pseudo-values (Tukey, 1958; Efron and Tibshirani, "An Introduction to the
        Bootstrap", 1993, chapter 11), shifted so that their mean is the run's score. The spread of their
        mean is how much the score would move with other documents; of a mean over documents they are the
        documents' own scores, so that whatever is computed of those can be computed of these.
        """
        sums = self.statistics.sum(axis=1, keepdims=True)
        without = self.of_sums(sums - self.statistics)
        others = self.statistics.shape[1] - 1
        return self.of_sums(sums) + others * (without.mean(axis=1, keepdims=True) - without)

    def resampled(self, counts: Values) -> Values:
        """Score documents taken `counts` times, the mean over seeds, (draws,).

        Args:
            counts: how often each document is in the draw, (draws, documents).
        """
        return np.mean([self.of_sums(counts @ run) for run in self.statistics], axis=0)
