"""A scrambled Sobol sequence (Owen, 1998): fills the space more evenly than random draws."""

from collections.abc import Callable, Mapping
from functools import partial

from optuna.distributions import BaseDistribution

from search.samplers._sampler import Point, Sampler, Searched
from search.samplers._units import value_at


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
    return {name: value_at(distributions[name], share) for name, share in zip(names, point, strict=True)}
