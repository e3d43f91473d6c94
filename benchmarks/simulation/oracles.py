"""What any point of a space comes to: smooth functions in place of training, whose best point is known.

They are no truth about training: they have the size of its effects, and a regret that can be told from the
noise, which is put back on what a search sees of them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from benchmarks.simulation.curves import Curve
from spaces import Space, Value

Point = Mapping[str, Value]
Scores = Callable[[Sequence[Point]], np.ndarray]
"""From points to their scores without noise, (points, rungs)."""
DRAWN, TOP, ROUNDS = 10_000, 20, 8
"""How the best of a space is looked for: points drawn, then rounds of mixing the best with what is drawn."""


@dataclass(frozen=True)
class Oracle:
    """One method's space, and what its points come to."""

    name: str
    space: Space
    rungs: list[int]
    """Budgets, rising."""
    scores: Scores
    noise: Sequence[float]
    """Standard deviation of a score at each rung. Half of the variance is the trial's, equal at all rungs."""
    reduction_factor: int = 3

    def curve(self, point: Point, seed: int) -> Curve:
        """Return what a trial reports; a full training takes one second."""
        rng = np.random.default_rng(seed)
        own, fresh = rng.standard_normal(), rng.standard_normal(len(self.rungs))
        seen = self.scores([point])[0] + np.array(self.noise) * (own + fresh) / math.sqrt(2)
        seconds = [rung / self.rungs[-1] for rung in self.rungs]
        return Curve(hyperparameters=dict(point), scores=seen.tolist(), seconds=seconds)

    def final(self, point: Point) -> float:
        """Return the score at the full budget without noise."""
        return float(self.scores([point])[0, -1])

    @cached_property
    def best(self) -> float:
        """The highest final score of any point, as far as looking for it shows."""
        rng = np.random.default_rng(0)
        points = [self.space.default, *self.drawn(DRAWN, rng)]
        for _ in range(ROUNDS):
            finals = self.scores(points)[:, -1]
            points = [points[n] for n in np.argsort(-finals)[:TOP]]
            points += [_mixed(points[n % TOP], other, rng) for n, other in enumerate(self.drawn(1000, rng))]
        return float(self.scores(points)[:, -1].max())

    def drawn(self, count: int, rng: np.random.Generator) -> list[dict[str, Value]]:
        """Draw points, one value in five at an end of its range, where the best often is."""
        parts = {name: _values(part, count, rng) for name, part in self.space.distributions.items()}
        return [dict(zip(parts, row, strict=True)) for row in zip(*parts.values(), strict=True)]


def _values(part: BaseDistribution, count: int, rng: np.random.Generator) -> list[Value]:
    if isinstance(part, CategoricalDistribution):
        return [part.choices[n] for n in rng.integers(len(part.choices), size=count)]
    assert isinstance(part, FloatDistribution | IntDistribution)
    shares = np.clip(rng.uniform(-0.125, 1.125, count), 0, 1)
    low, high = (math.log(part.low), math.log(part.high)) if part.log else (part.low, part.high)
    values = low + shares * (high - low)
    values = np.clip(np.exp(values) if part.log else values, part.low, part.high)
    return values.round().astype(int).tolist() if isinstance(part, IntDistribution) else values.tolist()


def _mixed(one: Point, other: Point, rng: np.random.Generator) -> dict[str, Value]:
    """Take a quarter of the values from the other."""
    return {name: other[name] if rng.random() < 0.25 else one[name] for name in one}


def features(distributions: Mapping[str, BaseDistribution], points: Sequence[Point]) -> np.ndarray:
    """Return shares of ranges, -1 to 1, (points, columns); a column each word but the first."""
    return np.hstack([_feature(part, [p[name] for p in points]) for name, part in distributions.items()])


def _feature(part: BaseDistribution, values: Sequence[Value]) -> np.ndarray:
    if isinstance(part, CategoricalDistribution):
        if isinstance(part.choices[0], str):
            return np.array([[2.0 * (v == choice) - 1 for choice in part.choices[1:]] for v in values])
        places = [part.choices.index(value) / (len(part.choices) - 1) for value in values]
        return 2 * np.array(places)[:, None] - 1
    assert isinstance(part, FloatDistribution | IntDistribution)
    scale = np.log if part.log else np.asarray
    low, high = scale(float(part.low)), scale(float(part.high))
    return 2 * ((scale(np.array(values, dtype=float)) - low) / (high - low))[:, None] - 1
