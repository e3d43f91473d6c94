"""How far a seed moves a method's mean: of all methods together, and of one that scatters by itself."""

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

FEWEST_SEEDS = 3
"""With fewer a method's own spread has one degree of freedom, and an interval by it has no end."""
_LEVEL = 0.05
_WEIGHT = 2.0
"""What is beyond the pool weighs double, as it counts only where it is large: with less, 92.7 % of the 95 %
intervals of one method that scatters among four cover, with this 93.4 % (`benchmarks.statistics`)."""


class SeedSpread:
    """Variances of the seeds' means, pooled over the methods where they are alike.

    Two or three seeds tell little about their own spread, so that of all methods is used, with its degrees
    of freedom. It is too small for a method whose seeds spread more than the others': with the pool's
    degrees of freedom 84 to 91 % of its 95 % intervals cover.

    - A method that scatters (an F-test of its variance against that of the others together, at 5 %) has its
      own spread and degrees of freedom, and leaves the pool: it would widen the intervals of all.
    - Where the spread of the methods at hand is larger than the pooled one, theirs is used. What it has
      beyond the pooled one has their own degrees of freedom, the rest those of the pool (Satterthwaite, "An
      Approximate Distribution of Estimates of Variance Components", Biometrics Bulletin 2, 1946, for both):
      of like methods half are above the pool. With their own ones alone they lose a fifth of the pairs.

    Both need `FEWEST_SEEDS`; a method with two seeds stays in the pool.

    Args:
        means: method to the means of its seeds, in points, two or more.
    """

    def __init__(self, means: Mapping[str, NDArray[np.float64]]) -> None:
        self._variance = {method: float(values.var(ddof=1)) for method, values in means.items()}
        self._df = {method: len(values) - 1 for method, values in means.items()}
        self.apart = frozenset(m for m in self.scattering if self._df[m] + 1 >= FEWEST_SEEDS)
        """Methods that are not in the pool."""

    @cached_property
    def scattering(self) -> list[str]:
        """Methods whose seeds spread more than those of the others together, by an F-test."""
        others = {method: [m for m in self._variance if m != method] for method in self._variance}
        return [method for method, rest in others.items() if rest and self._scatters(method, rest)]

    @cached_property
    def df(self) -> int:
        """The pooled spread's degrees of freedom; zero where no method has two seeds."""
        return sum(self._df[method] for method in self._pool)

    @cached_property
    def pooled(self) -> float:
        """The variance of one seed's mean, in squared points; zero where no method has two seeds."""
        return self._mean_variance(self._pool)

    def of(self, seeds: Mapping[str, int]) -> tuple[float, float]:
        """Return the seeds' part in the variance of a sum of means, and its degrees of freedom.

        Args:
            seeds: of each method in the sum how many seeds its mean is over; one whose own spread is not
                known borrows the pooled one.
        """
        pooled = self.pooled * sum(1 / count for count in seeds.values())
        parts = {m: self._variance.get(m, self.pooled) / count for m, count in seeds.items()}
        own = sum(parts.values())
        if own <= pooled or min(seeds.values()) < FEWEST_SEEDS:
            return max(own, pooled), self.df
        own_df = own**2 / sum(part**2 / self._df.get(m, self.df) for m, part in parts.items())
        if not self.apart.isdisjoint(seeds) or not pooled:
            return own, own_df
        beyond = _WEIGHT * (own - pooled) ** 2 / own_df
        return own, min(own**2 / (pooled**2 / self.df + beyond), self.df)

    @property
    def _pool(self) -> list[str]:
        return [method for method in self._variance if method not in self.apart]

    def _scatters(self, method: str, others: Collection[str]) -> bool:
        rest = self._mean_variance(others)
        ratio = self._variance[method] / rest if rest else np.inf if self._variance[method] else 1.0
        df = sum(self._df[other] for other in others)
        return bool(fdtrc(self._df[method], df, ratio) < _LEVEL)

    def _mean_variance(self, methods: Iterable[str]) -> float:
        """Average the methods' variances, weighted by degrees of freedom; zero for none."""
        known = list(methods)
        weights = [self._df[method] for method in known]
        return float(np.average([self._variance[m] for m in known], weights=weights)) if known else 0.0
