"""Approximate randomisation over documents (Noreen, 1989; Riezler and Maxwell, 2005)."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from search.statistics.corpus import Corpus

_BATCH = 1000
_ROUNDING = 1e-9


def approximate_randomisation(
    differences: NDArray[np.float64], rng: np.random.Generator, *, resamples: int = 9999
) -> NDArray[np.float64]:
    """Test each row's mean against zero by random sign flips: two-sided p-values, (pairs,).

    What `scipy.stats.permutation_test` does to one sample of differences, with the same sign flips for all
    rows: one matrix product, which takes a sixtieth of the time over 28 pairs and 500 documents.

    Args:
        differences: points, (pairs, documents).
        rng: draws the signs.
        resamples: the p-value is at least one in so many and one.
    """
    observed = np.abs(differences.sum(axis=1))
    reached = observed - _ROUNDING * np.abs(differences).sum(axis=1)
    exceeding = np.ones(len(differences))
    for signs in _signs(differences.shape[1], resamples, rng):
        exceeding += (np.abs(signs @ differences.T) >= reached).sum(axis=0)
    return exceeding / (resamples + 1)


def randomised_corpora(
    pairs: Sequence[tuple[Corpus, Corpus]], rng: np.random.Generator, *, resamples: int = 9999
) -> NDArray[np.float64]:
    """Test pairs of corpus scores by swapping documents and scoring anew: p-values, (pairs,).

    What differs is the score of all seeds' outputs together, which need not be equally many for both.
    """
    exceeding = np.ones(len(pairs))
    documents = len(pairs[0][0].pooled) if pairs else 0
    for signs in _signs(documents, resamples, rng):
        exceeding += [_exceeding(*pair, signs) for pair in pairs]
    return exceeding / (resamples + 1)


def _exceeding(corpus: Corpus, other: Corpus, signs: NDArray[np.float64]) -> int:
    """Count the swaps after which the scores differ at least as much as they do."""
    half = (corpus.pooled - other.pooled) / 2
    middle = (corpus.pooled + other.pooled).sum(axis=0) / 2
    apart = signs @ half
    observed = abs(corpus.of_sums(middle + half.sum(axis=0)) - other.of_sums(middle - half.sum(axis=0)))
    swapped = np.abs(corpus.of_sums(middle + apart) - other.of_sums(middle - apart))
    return int((swapped >= observed - _ROUNDING * 100).sum())


def _signs(documents: int, resamples: int, rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Yield batches of signs, (resamples, documents): -1 where the methods' outputs are swapped."""
    for start in range(0, resamples, _BATCH):
        shape = (min(_BATCH, resamples - start), documents)
        yield rng.integers(0, 2, shape, dtype=np.int8) * np.float64(2) - 1
