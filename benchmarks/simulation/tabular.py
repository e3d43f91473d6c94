"""A table of recorded curves as a learner, and a study that proposes its points and no others."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from benchmarks.simulation.curves import Curve, Curves
from search.studies.study import MethodStudy
from spaces import Value

Point = Mapping[str, Value]


def nearest(space: Mapping[str, BaseDistribution], point: Point, among: Sequence[Point]) -> Point:
    """The one `among` points that is nearest to `point`; of equally near ones the first.

    The distance is Gower's (Biometrics 27, 1971): a number by its share of the range, of the logarithm's
    where the space has one; words are alike or 1 apart; all hyperparameters count alike.
    """
    return min(among, key=lambda other: sum(_apart(part, point[k], other[k]) for k, part in space.items()))


def _apart(dimension: BaseDistribution, one: Value, other: Value) -> float:
    if isinstance(dimension, CategoricalDistribution):
        return float(one != other)
    assert isinstance(dimension, FloatDistribution | IntDistribution)
    scale = math.log if dimension.log else float
    length = scale(dimension.high) - scale(dimension.low)
    return abs(scale(one) - scale(other)) / length if length else 0.0  # type: ignore[arg-type]


class Tabular(BaseSampler):
    """What another sampler proposes, moved to the nearest point of a table that its study has not had yet.

    The study learns of the points that were run, not of those that were proposed.

    Args:
        sampler: proposes.
        space: of the table.
        points: of the table; more than are ever asked for.
    """

    def __init__(
        self, sampler: BaseSampler, space: Mapping[str, BaseDistribution], points: Iterable[Point]
    ) -> None:
        self.sampler = sampler
        self.space = dict(space)
        self.points = list(points)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self.space

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The whole point at once."""
        had = [other.params for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        unused = [point for point in self.points if dict(point) not in had]
        return dict(nearest(self.space, proposed(self.sampler, study, trial, self.space), unused))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise AssertionError(f"{param_name} is not in the table")

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self.sampler.before_trial(study, trial)


def proposed(
    sampler: BaseSampler, study: Study, trial: FrozenTrial, space: Mapping[str, BaseDistribution]
) -> dict[str, Any]:
    """The point that `sampler` itself proposes: what it relates, then the rest one by one, as Optuna asks."""
    related = sampler.infer_relative_search_space(study, trial)
    point = sampler.sample_relative(study, trial, related)
    return {
        name: point[name] if name in point else sampler.sample_independent(study, trial, name, part)
        for name, part in space.items()
    }


class Recorded:
    """What trials of the table's points came to, score and loss."""

    def __init__(self, curves: Curves, method: str) -> None:
        self.table = curves.methods[method]
        self.space = self.table.searched
        self.rungs = curves.rungs
        self.reduction_factor = curves.reduction_factor

    def curve(self, point: Point, seed: int) -> Curve:
        """Return the curve that was recorded; a second one of the same point there is not."""
        return next(curve for curve in self.table.curves if curve.hyperparameters == dict(point))


def tabular(curves: Curves) -> type[MethodStudy]:
    """Make the class of studies that keep to the points of `curves`."""

    class TabularStudy(MethodStudy):
        def sampler_of(self, number: int) -> BaseSampler:
            table = curves.methods[self.method]
            return Tabular(super().sampler_of(number), table.space, table.points)

    return TabularStudy
