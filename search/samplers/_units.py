"""Points of a space as shares from 0 to 1 of each range, logarithms where the space has them, and back."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from search.samplers._sampler import Point

Distributions = Mapping[str, BaseDistribution]


def value_at(distribution: BaseDistribution, share: float) -> Any:
    """Return the value below which `share` of the distribution lies."""
    match distribution:
        case CategoricalDistribution():
            place = int(share * len(distribution.choices))
            return distribution.choices[min(place, len(distribution.choices) - 1)]
        case IntDistribution():
            low, high = _ends(distribution)
            whole = round(_between(low, high, share, log=distribution.log))
            return min(max(whole, distribution.low), distribution.high)
        case FloatDistribution():
            value = _between(distribution.low, distribution.high, share, log=distribution.log)
            return min(max(value, distribution.low), distribution.high)
    raise AssertionError(distribution)


def shares(distributions: Distributions, points: Sequence[Point]) -> np.ndarray:
    """Return the shares of points: (points, hyperparameters); `value_at` gives the values back."""
    parts = [[_share(part, point[name]) for point in points] for name, part in distributions.items()]
    return np.array(parts).T


def columns(distributions: Distributions, shares: np.ndarray) -> np.ndarray:
    """Return what a model sees of shares: (points, columns), whole numbers and choices at their places.

    Choices of numbers have their place in order; words have a column each, so that two of them are 1 apart.
    """
    return np.hstack([_columns(part, shares[:, n]) for n, part in enumerate(distributions.values())])


def groups(distributions: Distributions) -> np.ndarray:
    """Return the place of the hyperparameter of each column: (columns,)."""
    zero = np.zeros(1)
    widths = [_columns(part, zero).shape[1] for part in distributions.values()]
    return np.repeat(np.arange(len(widths)), widths)


def _share(distribution: BaseDistribution, value: Any) -> float:
    if isinstance(distribution, CategoricalDistribution):
        return (distribution.choices.index(value) + 0.5) / len(distribution.choices)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = _ends(distribution)
    if distribution.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low) if high > low else 0.5


def _columns(distribution: BaseDistribution, shares: np.ndarray) -> np.ndarray:
    match distribution:
        case CategoricalDistribution():
            count = len(distribution.choices)
            places = np.minimum((shares * count).astype(int), count - 1)
            if _has_words(distribution):
                return np.eye(count)[places] / math.sqrt(2)
            ranks = np.argsort(np.argsort(np.array(distribution.choices, dtype=float)))
            return (ranks[places] / max(count - 1, 1))[:, None]
        case IntDistribution():
            values = np.array([value_at(distribution, share) for share in shares])
            scale = np.log if distribution.log else np.asarray
            low, high = scale(distribution.low), scale(distribution.high)
            return ((scale(values) - low) / (high - low if high > low else 1))[:, None]
    return shares[:, None]


def _has_words(distribution: BaseDistribution) -> bool:
    return isinstance(distribution, CategoricalDistribution) and any(
        isinstance(choice, str) for choice in distribution.choices
    )


def _ends(distribution: FloatDistribution | IntDistribution) -> tuple[float, float]:
    margin = 0.5 if isinstance(distribution, IntDistribution) else 0.0
    return distribution.low - margin, distribution.high + margin


def _between(low: float, high: float, share: float, *, log: bool) -> float:
    if log:
        return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    return low + share * (high - low)
