"""A scrambled Sobol sequence (Owen, 1998): fills the space more evenly than random draws."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from search.samplers._sampler import Point, Sampler, Searched


class _QuasiRandom(Sampler):
    summary = "a quasi-random sequence"

    def sequence(self, searched: Searched, seed: int) -> Callable[[int], Point]:
        return partial(sobol_point, searched.space.distributions, seed)


SAMPLER = _QuasiRandom()


def sobol_point(distributions: Mapping[str, BaseDistribution], seed: int, index: int) -> Point:
    """Point number `index` of a scrambled Sobol sequence over the distributions.

    Optuna's own QMC sampler keeps its place in the study, where a study rebuilt from records begins anew
    and proposes everything twice.
    """
    from scipy.stats.qmc import Sobol  # takes a second to import

    names = sorted(distributions)
    sequence = Sobol(len(names), scramble=True, rng=seed)
    if index:
        sequence.fast_forward(index)
    point = sequence.random(1)[0]
    return {name: _at(distributions[name], share) for name, share in zip(names, point, strict=True)}


def _at(distribution: BaseDistribution, share: float) -> Any:
    """The value below which `share` of the distribution lies."""
    match distribution:
        case CategoricalDistribution():
            return distribution.choices[int(share * len(distribution.choices))]
        case IntDistribution():
            low, high = distribution.low - 0.5, distribution.high + 0.5
            value = round(_between(low, high, share, log=distribution.log))
            return min(max(value, distribution.low), distribution.high)
        case FloatDistribution():
            return _between(distribution.low, distribution.high, share, log=distribution.log)
    raise AssertionError(distribution)


def _between(low: float, high: float, share: float, *, log: bool) -> float:
    if log:
        return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    return low + share * (high - low)
