"""Searches that weigh a cost against quality: the studies, and what is stopped early."""

import math
from random import Random

import numpy as np
import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState

from search.records.record import Stop
from search.records.trial_store import TrialStore
from search.schedulers.asha import Rungs
from search.statistics.pareto import front_ranks
from tests.search.driven import NARROW, WEIGHED, Driven, cost
from tests.search.replay import RUNGS, curve, sweep

SEARCH = {**WEIGHED, "trials_per_method": 3, "sampler": "random", "study_storage": "sqlite://"}


def dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


def restated_fronts(points: list[tuple[float, ...]]) -> list[int]:
    """Fronts peeled off one by one, in plain loops."""
    ranks: dict[int, int] = {}
    while len(ranks) < len(points):
        left = [i for i in range(len(points)) if i not in ranks]
        front = [i for i in left if not any(dominates(points[j], points[i]) for j in left)]
        ranks |= dict.fromkeys(front, max(ranks.values(), default=-1) + 1)
    return [ranks[i] for i in range(len(points))]


@pytest.mark.parametrize("seed", range(40))
def test_fronts_are_those_of_a_restatement(seed):
    random = Random(seed)
    objectives = random.choice([1, 2, 3])
    points = [
        tuple(float(random.randint(0, 6)) for _ in range(objectives)) for _ in range(random.randint(1, 25))
    ]
    assert front_ranks(points) == restated_fronts(points)


def test_fronts_are_optunas():
    points = np.random.default_rng(0).normal(size=(200, 2))
    study = optuna.create_study(directions=["minimize", "minimize"])
    study.add_trials([optuna.trial.create_trial(values=list(point)) for point in points])
    first = [number for number, rank in enumerate(front_ranks(points)) if rank == 0]
    assert first == sorted(trial.number for trial in study.best_trials)


@pytest.mark.parametrize("seed", range(40))
def test_a_trial_runs_on_if_it_is_among_the_best_by_front_and_then_by_value(seed):
    random = Random(seed)
    factor, told = random.choice([2, 3, 4]), []
    rungs = Rungs(factor)
    for number in range(40):
        value, seconds = float(random.randint(0, 5)), float(random.randint(0, 5))
        stop = rungs.decide(f"t{number}", 0, value, [seconds])
        fronts = restated_fronts([*told, (-value, seconds)])
        ahead = sum(
            fronts[other] < fronts[-1] or (fronts[other] == fronts[-1] and -loss >= value)
            for other, (loss, _) in enumerate(told)
        )
        assert (stop is None) == (ahead < math.ceil((len(told) + 1) / factor))
        if stop is not None:
            assert stop == Stop(rung=0, value=value, cut_off=None, front=fronts[-1])
        told.append((-value, seconds))


def test_a_cheap_trial_runs_on_that_quality_alone_would_stop():
    alone, weighed = Rungs(3), Rungs(3)
    for number, value in enumerate([50.0, 49.0, 48.0]):
        alone.enter(f"t{number}", 0, value)
        weighed.enter(f"t{number}", 0, value, [100.0])
    assert alone.decide("cheap", 0, 40.0) is not None
    assert weighed.decide("cheap", 0, 40.0, [10.0]) is None
    assert weighed.decide("dear", 0, 40.0, [101.0]).front == 3


def test_a_value_that_is_not_finite_is_stopped_whatever_it_costs():
    assert Rungs(3).decide("a", 0, None, [1.0]) == Stop(rung=0, value=None, cut_off=None)


@pytest.fixture
def driven(tmp_path) -> Driven:
    return Driven(tmp_path / "run", sweep(tmp_path, methods=NARROW, search=SEARCH))


def test_a_study_has_both_values_of_what_completed_and_none_of_what_was_stopped(driven):
    whole, stopped, failed = driven.begin(), driven.begin(), driven.begin()
    driven.end(whole.id, "completed")
    driven.end(stopped.id, "stopped")
    driven.end(failed.id, "failed")
    driven.restart()
    study = driven.studies[whole.method].study
    assert study.directions == [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
    expected = [
        curve(whole.method, whole.hyperparameters, RUNGS[-1]),
        cost(whole.hyperparameters, RUNGS[-1]),
    ]
    assert study.trials[0].values == expected
    others = [*study.trials[1:], *driven.studies[stopped.method].study.trials]
    assert {trial.state for trial in others} == {TrialState.PRUNED, TrialState.FAIL}
    assert all(trial.values is None for trial in others)


def test_without_its_cost_a_completed_trial_tells_the_sampler_nothing(driven):
    trial = driven.begin()
    for _ in range(len(RUNGS) - 1):
        driven.report(trial.id)
    driven.report(trial.id, "completed", cost={"train_seconds": None})
    assert [t.state for t in driven.studies[trial.method].study.trials] == [TrialState.FAIL]
    driven.restart()
    assert [t.state for t in driven.studies[trial.method].study.trials] == [TrialState.FAIL]


def test_the_search_goes_on_from_records_to_its_end(driven):
    while trial := driven.begin():
        driven.end(trial.id, "completed")
        driven.restart()
    ended = TrialStore(driven.plan.folder)
    assert [len(ended.search(method)) for method in ("full", "lora")] == [3, 3]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_tpe_finds_more_of_the_trade_off_than_random_search(tmp_path):
    """Hypervolume of 30 trials each, summed over sixteen seeds; the rate decides quality and cost."""

    def volume(sampler: str, seed: int) -> float:
        settings = sweep(
            tmp_path,
            seed=seed,
            methods={"full": {"fix": {"warmup_ratio": 0.05, "weight_decay": 0.0, "schedule": "linear"}}},
            search={**WEIGHED, "sampler": sampler, "trials_per_method": 30, "study_storage": "sqlite://"},
        )
        searched = Driven(tmp_path / f"{sampler}-{seed}", settings)
        while trial := searched.begin():
            searched.end(trial.id, "completed")
        values = [trial.values for trial in searched.studies["full"].study.trials]
        return optuna._hypervolume.compute_hypervolume(
            np.array([(-quality, seconds) for quality, seconds in values]), np.array([0.0, 100.0])
        )

    tpe, random = (sum(volume(sampler, seed) for seed in range(16)) for sampler in ("tpe", "random"))
    assert tpe > random
