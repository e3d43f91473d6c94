"""Approximate randomisation over documents (Noreen, 1989; Riezler and Maxwell, 2005)."""

import numpy as np
from numpy.typing import NDArray

_BATCH = 1000
_ROUNDING = 1e-9


def approximate_randomisation(
    differences: NDArray[np.float64], rng: np.random.Generator, *, resamples: int = 9999
) -> NDArray[np.float64]:
    """Two-sided p-value of each row's mean, were the two methods' scores exchangeable on every document.

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
    for start in range(0, resamples, _BATCH):
        shape = (min(_BATCH, resamples - start), differences.shape[1])
        signs = 2.0 * rng.integers(0, 2, shape, dtype=np.int8) - 1.0
        exceeding += (np.abs(signs @ differences.T) >= reached).sum(axis=0)
    return exceeding / (resamples + 1)
