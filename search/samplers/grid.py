"""Every combination of the lists in the sweep file, all else at its default."""

from collections.abc import Callable
from itertools import product

import numpy as np
from optuna.distributions import CategoricalDistribution

from search.samplers._sampler import Point, Sampler, Searched


class _Grid(Sampler):
    summary = "every combination of the lists in methods.*.space, all else at its default"

    def objection(self, searched: Searched) -> str | None:
        return None if _combinations(searched) else "needs lists for search.sampler: grid, as rank: [4, 8]"

    def points(self, searched: Searched) -> int:
        return 1 + len(_combinations(searched))

    def sequence(self, searched: Searched, seed: int) -> Callable[[int], Point]:
        """In an order of its own, so that few trials are a random part of the grid."""
        points = _combinations(searched)
        order = np.random.default_rng(seed).permutation(len(points))
        return [points[place] for place in order].__getitem__


SAMPLER = _Grid()


def _combinations(searched: Searched) -> list[Point]:
    """All points of the grid but the default, which is every method's first trial anyhow."""
    default, distributions = searched.space.default, searched.space.distributions
    listed = {
        name: part.choices
        for name, part in distributions.items()
        if isinstance(part, CategoricalDistribution) and name in searched.listed
    }
    chosen = [dict(zip(listed, each, strict=True)) for each in product(*listed.values())]
    points = [{**default, **choice} for choice in chosen]
    return [point for point in points if point != default]
