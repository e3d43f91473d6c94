"""What people would run instead, on recorded curves: random search, and Ray Tune's own OptunaSearch and ASHA.

The classes are Ray's, called in the order in which Tune calls them. The reduction factor, the first rung and
the full budget are those of the recorded sweep.
"""

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial
from ray.tune.result import TRAINING_ITERATION
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.simulation import Curve, Curves, MethodCurves, Tabular, nearest
from benchmarks.simulation.nearest import proposed
from spaces import Value


@dataclass(frozen=True)
class _Trial:
    """As much of Tune's trial as its ASHA sees."""

    trial_id: str


class RandomSearch:
    """The recorded points in random order, the methods in turn; with `stops`, one of Ray's ASHA a method."""

    def __init__(self, curves: Curves, seed: int, *, stops: bool) -> None:
        self.curves = curves
        random = Random(seed)
        orders = {method: random.sample(t.curves, len(t.curves)) for method, t in curves.methods.items()}
        longest = max(map(len, orders.values()))
        self.waiting = [
            (m, order[n]) for n in range(longest) for m, order in orders.items() if n < len(order)
        ]
        self.stopping = {method: asha(curves) for method in curves.methods} if stops else {}
        self.running: dict[str, tuple[str, Curve]] = {}

    def propose(self, trial: str) -> tuple[str, Curve] | None:
        if not self.waiting:
            return None
        self.running[trial] = method, curve = self.waiting.pop(0)
        if method in self.stopping:
            self.stopping[method].on_trial_add(None, _Trial(trial))
        return method, curve

    def report(self, trial: str, rung: int) -> bool:
        method, curve = self.running[trial]
        if rung == len(curve.scores) - 1:
            return False
        if method not in self.stopping:
            return True
        result = told(self.curves, curve, rung)
        return self.stopping[method].on_trial_result(None, _Trial(trial), result) == TrialScheduler.CONTINUE


class Foresight(RandomSearch):
    """Random search that knows at the first rung whether a trial will beat all before it of its method.

    No real search: it shows how much stopping can save at these rungs.
    """

    def __init__(self, curves: Curves, seed: int) -> None:
        super().__init__(curves, seed, stops=False)
        self.best = dict.fromkeys(curves.methods, -math.inf)

    def report(self, trial: str, rung: int) -> bool:
        method, curve = self.running[trial]
        is_better = curve.scores[-1] > self.best[method]
        if is_better and rung == len(curve.scores) - 1:
            self.best[method] = curve.scores[-1]
        return is_better and super().report(trial, rung)


class StockSearch:
    """Ray's OptunaSearch with its default TPE, and its ASHA; one pair a method, the methods in turn.

    It tells Optuna that a trial which was stopped early has completed.
    """

    def __init__(self, curves: Curves, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.curves = curves
        self.searches = {m: self._search(t, seed) for m, t in curves.methods.items()}
        self.stopping = {method: asha(curves) for method in curves.methods}
        self.left = {method: len(table.curves) for method, table in curves.methods.items()}
        self.running: dict[str, tuple[str, Curve]] = {}

    @staticmethod
    def _search(table: MethodCurves, seed: int) -> OptunaSearch:
        sampler = Tabular(TPESampler(seed=seed), table.space, table.points)
        return OptunaSearch(table.space, metric="score", mode="max", sampler=sampler)

    def propose(self, trial: str) -> tuple[str, Curve] | None:
        method = max(self.left, key=self.left.__getitem__)
        if not self.left[method]:
            return None
        point = self.searches[method].suggest(trial)
        return self._begin(trial, method, point)

    def _begin(self, trial: str, method: str, point: Mapping[str, Value]) -> tuple[str, Curve]:
        self.left[method] -= 1
        curve = next(curve for curve in self.curves.methods[method].curves if curve.hyperparameters == point)
        self.running[trial] = method, curve
        self._asha(method).on_trial_add(None, _Trial(trial))
        return method, curve

    def _asha(self, method: str) -> AsyncHyperBandScheduler:
        return self.stopping[method]

    def _optuna(self, method: str) -> OptunaSearch:
        return self.searches[method]

    def report(self, trial: str, rung: int) -> bool:
        method, curve = self.running[trial]
        result = told(self.curves, curve, rung)
        is_last = rung == len(curve.scores) - 1
        scheduler = self._asha(method)
        if not is_last and scheduler.on_trial_result(None, _Trial(trial), result) == TrialScheduler.CONTINUE:
            self._optuna(method).on_trial_result(trial, result)
            return True
        self._optuna(method).on_trial_complete(trial, result)
        return False


class StockTogether(StockSearch):
    """The same with the method as one more hyperparameter: one OptunaSearch and one ASHA over all of them."""

    def __init__(self, curves: Curves, seed: int) -> None:
        super().__init__(curves, seed)
        self.together = OptunaSearch(
            self._space, metric="score", mode="max", sampler=_TabularOfAll(TPESampler(seed=seed), curves)
        )
        self.shared = asha(curves)

    def _space(self, trial: optuna.Trial) -> None:
        method = trial.suggest_categorical("method", list(self.curves.methods))
        for name, part in self.curves.methods[method].space.items():
            _suggest(trial, f"{method}/{name}", part)

    def propose(self, trial: str) -> tuple[str, Curve] | None:
        if not any(self.left.values()):
            return None
        config = self.together.suggest(trial)
        return self._begin(trial, config["method"], config[config["method"]])

    def _asha(self, method: str) -> AsyncHyperBandScheduler:
        return self.shared

    def _optuna(self, method: str) -> OptunaSearch:
        return self.together


class _TabularOfAll(Tabular):
    """The sampler's method, then its hyperparameters, moved to a recorded point of that method.

    Of a method that has none left, the next one that has.
    """

    def __init__(self, sampler: BaseSampler, curves: Curves) -> None:
        self.curves = curves
        spaces = {f"{m}/{k}": part for m, t in curves.methods.items() for k, part in t.space.items()}
        self.method = CategoricalDistribution(list(curves.methods))
        super().__init__(sampler, {"method": self.method, **spaces}, [])

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: Any) -> dict[str, Any]:
        had = [other.params for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        unused = {method: self._unused(method, had) for method in self.curves.methods}
        wanted = proposed(self.sampler, study, trial, {"method": self.method})["method"]
        method = wanted if unused[wanted] else next(name for name, points in unused.items() if points)
        space = _named(method, self.curves.methods[method].space)
        point = {k: self.sampler.sample_independent(study, trial, k, part) for k, part in space.items()}
        return {"method": method, **nearest(space, point, unused[method])}

    def _unused(self, method: str, had: Iterable[Mapping[str, Any]]) -> list[dict[str, Value]]:
        points = [_named(method, point) for point in self.curves.methods[method].points]
        return [point for point in points if {"method": method, **point} not in had]


def _named(method: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{method}/{name}": value for name, value in values.items()}


def _suggest(trial: optuna.Trial, name: str, part: Any) -> None:
    match part:
        case CategoricalDistribution():
            trial.suggest_categorical(name, part.choices)
        case IntDistribution():
            trial.suggest_int(name, part.low, part.high, log=part.log)
        case FloatDistribution():
            trial.suggest_float(name, part.low, part.high, log=part.log)


def asha(curves: Curves) -> AsyncHyperBandScheduler:
    """Ray's, with the rungs of the sweep."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return AsyncHyperBandScheduler(
            time_attr="examples",
            metric="score",
            mode="max",
            max_t=curves.rungs[-1],
            grace_period=curves.rungs[0],
            reduction_factor=curves.reduction_factor,
        )


def told(curves: Curves, curve: Curve, rung: int) -> dict[str, Any]:
    """A result as Tune flattens it; no finite score is told as 0, the worst there is."""
    score = curve.scores[rung]
    known = score is not None and math.isfinite(score)
    return {"score": score if known else 0.0, "examples": curves.rungs[rung], TRAINING_ITERATION: rung + 1}
