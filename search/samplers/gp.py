"""A Gaussian process over hyperparameters and budget, which learns from every rung of every trial.

Proposed is the point of the greatest expected improvement at the full budget (Jones et al., 1998) on the best
that the model expects of any trial so far; what runs counts as what the model expects of it.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from search.samplers._sampler import BROKE, Next, Sampler
from search.samplers._units import Distributions, columns, groups, shares, value_at
from search.samplers.tpe import SAMPLER as TPE

if TYPE_CHECKING:
    from search.samplers._process import Process

STARTUP_TRIALS = 4
"""Trials of a method that are drawn at random before anything is modelled, the default among them."""
MODELLED_TRIALS = 64
"""Trials of a method after which TPE proposes."""
DRAWN, KEPT, AROUND = 500, 5, 40
REACHES = (0.2, 0.1, 0.05, 0.02)
"""Where the greatest improvement is looked for: at points drawn anew, then around the best so far, ever
nearer (shares of a range)."""
CHANGED = 0.5
"""Share of the hyperparameters in which a point around another differs from it."""
SPAN = 27
"""Budgets so many times apart are 1 apart for the model."""
SAME = 1e-6
"""Share of a range within which points are the same; none is proposed twice."""
Seen = tuple[int, float, float]
"""A trial's place, the logarithm of its share of the budget, the score there."""


class _GaussianProcess(Sampler):
    summary = (
        f"a Gaussian process that learns from every rung (TPE after {MODELLED_TRIALS} trials, and for costs)"
    )
    independent_trials = STARTUP_TRIALS

    def optuna_sampler(self, coming: Next) -> BaseSampler:
        if coming.number >= MODELLED_TRIALS or coming.objectives > 1:
            return TPE.optuna_sampler(coming)
        return Model(coming) if coming.number >= STARTUP_TRIALS else RandomSampler(coming.seed)


SAMPLER = _GaussianProcess()


class Model(RandomSampler):
    """Proposes a whole point; at random while nothing is known."""

    def __init__(self, coming: Next) -> None:
        super().__init__(coming.seed)
        self.full_budget = coming.full_budget
        self.rng = np.random.default_rng(coming.seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return study.get_trials(deepcopy=False)[0].distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        before = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        seen = _seen(before, self.full_budget)
        if not search_space or len({score for _, _, score in seen}) < 2:
            return {}
        point = self._best(search_space, before, seen)
        return {
            name: value_at(part, share)
            for (name, part), share in zip(search_space.items(), point.tolist(), strict=True)
        }

    def fit(
        self, points: np.ndarray, budgets: np.ndarray, scores: np.ndarray, groups: np.ndarray
    ) -> "Process":
        from search.samplers._process import Process, Rows  # scipy takes a while to import

        return Process(Rows(points, budgets), scores, groups)

    def _best(self, space: Distributions, before: list[FrozenTrial], seen: list[Seen]) -> np.ndarray:
        """Return the shares of the point of the greatest improvement that no trial has had."""
        had = shares(space, [other.params for other in before])
        known = columns(space, had)
        places, budgets, scores = (np.array(part) for part in zip(*seen, strict=True))
        standard = (scores - scores.mean()) / scores.std()
        model = self.fit(known[places], budgets, standard, groups(space))
        expected, _ = model.at_full_budget(known)
        running = [n for n, other in enumerate(before) if other.state is TrialState.RUNNING]
        if running:
            model.believe(known[running])

        def gain(candidates: np.ndarray) -> np.ndarray:
            there = columns(space, candidates)
            is_new = (np.abs(there[:, None, :] - known[None, :, :]).max(2) > SAME).all(1)
            return np.where(is_new, _log_improvement(*model.at_full_budget(there), expected.max()), -np.inf)

        start = had[np.argsort(-expected)[:KEPT]]
        return self._greatest(gain, start)

    def _greatest(self, gain: Callable[[np.ndarray], np.ndarray], start: np.ndarray) -> np.ndarray:
        drawn = self.rng.random((DRAWN, start.shape[1]))
        candidates = np.vstack([drawn, self._around(start, REACHES[0])])
        gains = gain(candidates)
        for reach in REACHES:
            kept = np.argsort(-gains, kind="stable")[:KEPT]
            near = self._around(candidates[kept], reach)
            candidates = np.vstack([candidates[kept], near])
            gains = np.append(gains[kept], gain(near))
        point: np.ndarray = candidates[np.argmax(gains)]
        return point

    def _around(self, points: np.ndarray, reach: float) -> np.ndarray:
        """Return points that differ from these in some hyperparameters: moved, or one in four drawn anew."""
        many = np.repeat(points, AROUND, axis=0)
        moved = np.clip(many + reach * self.rng.standard_normal(many.shape), 0, 1)
        anew = self.rng.random(many.shape)
        changed = np.where(self.rng.random(many.shape) < 0.25, anew, moved)
        return np.where(self.rng.random(many.shape) < CHANGED, changed, many)


def _seen(trials: list[FrozenTrial], full_budget: int) -> list[Seen]:
    """Return every rung of every trial; what broke counts at the full budget as the worst of all."""
    seen = [
        (n, math.log(step / full_budget) / math.log(SPAN), value)
        for n, trial in enumerate(trials)
        for step, value in trial.intermediate_values.items()
        if math.isfinite(value)
    ]
    worst = min((score for _, _, score in seen), default=0.0)
    return [*seen, *((n, 0.0, worst) for n, trial in enumerate(trials) if trial.user_attrs.get(BROKE))]


def _log_improvement(mean: np.ndarray, spread: np.ndarray, best: float) -> np.ndarray:
    """Return the logarithm of the expected improvement on `best` (Ament et al., 2023, for its far tail)."""
    from scipy.special import ndtr

    z = (mean - best) / spread
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    near = np.log(np.maximum(density + z * ndtr(z), 1e-300))
    far = -(z**2) / 2 - math.log(2 * math.pi) / 2 - 2 * np.log(np.maximum(-z, 1.0))
    return np.log(spread) + np.where(z < -6, far, near)
