"""What proposes hyperparameters. A proposal is a function of the seed and of the trials before it."""

import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

STARTUP_TRIALS = 5
"""Trials of a method that TPE draws at random before it models anything, the default among them."""


def guided_or_random(name: str, seed: int) -> BaseSampler:
    """Optuna's sampler: `tpe` (Bergstra et al., 2011; multivariate, Falkner et al., 2018) or `random`."""
    if name == "random":
        return RandomSampler(seed)
    return TPESampler(n_startup_trials=STARTUP_TRIALS, multivariate=True, constant_liar=True, seed=seed)


def sobol_point(distributions: Mapping[str, BaseDistribution], index: int, seed: int) -> dict[str, Any]:
    """Point number `index` of a scrambled Sobol sequence over the distributions.

    Optuna's own QMC sampler keeps its place in the study, where a study rebuilt from records begins anew
    and proposes everything twice.
    """
    from scipy.stats.qmc import Sobol  # a second's import, for one sampler of three

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
