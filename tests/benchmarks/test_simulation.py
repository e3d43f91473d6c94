"""Simulated searches, on curves with known ends."""

import math
from collections import Counter
from dataclasses import replace
from itertools import product

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler

from benchmarks.schedulers import measured
from benchmarks.simulation import (
    Curve,
    Curves,
    MethodCurves,
    SimulatedSweep,
    Tabular,
    nearest,
    read,
    recorded,
    simulate,
    write,
)
from search.engine.runner import run
from search.records.results import Results, load_results
from tests.search.replay import RUNGS as REPLAYED_RUNGS
from tests.search.replay import Replay, curve, plant_task, sweep
from tests.search.schedulers.test_scheduler import passes
from trainables.errors import InputError

SPACE = {
    "learning_rate": FloatDistribution(1e-5, 1e-1, log=True),
    "rank": IntDistribution(1, 5),
    "targets": CategoricalDistribution(("attention", "all-linear")),
}
RUNGS = [1, 3, 9]


def planted(quality: float, point: dict, seconds: float = 1.0) -> Curve:
    """Scores that never cross: half, three quarters and all of `quality`."""
    return Curve(
        hyperparameters=point,
        scores=[quality / 2, quality * 3 / 4, quality],
        seconds=[seconds * rung for rung in RUNGS],
    )


def table(size: int = 20, seconds: float = 1.0) -> MethodCurves:
    """Points by which the learning rate alone decides, best in the middle of its logarithm."""
    points = [
        {"learning_rate": 10 ** (-5 + 4 * (n * 7 % size) / size), "rank": 1 + n % 5, "targets": "attention"}
        for n in range(size)
    ]
    qualities = [50 - 10 * abs(math.log10(point["learning_rate"]) + 3) for point in points]
    return MethodCurves(
        base="lora",
        space=SPACE,
        curves=[planted(q, point, seconds) for q, point in zip(qualities, points, strict=True)],
    )


@pytest.fixture
def curves() -> Curves:
    methods = {"full": table(), "lora": table(seconds=2.0)}
    return Curves(name="planted", seconds="planted", rungs=RUNGS, reduction_factor=3, methods=methods)


class Listed:
    """Takes the trials of a list, and stops those that it is told to at their first rung."""

    def __init__(self, seconds: list[float], stopped: set[int] = frozenset()) -> None:
        self.waiting = [planted(1.0, {"rank": n}, each) for n, each in enumerate(seconds)]
        self.stopped = {f"simulated-{n}" for n in stopped}
        self.rungs = Counter()

    def propose(self, trial):
        return ("lora", self.waiting.pop(0)) if self.waiting else None

    def report(self, trial, rung):
        assert rung == self.rungs[trial]
        self.rungs[trial] += 1
        return rung < 2 and trial not in self.stopped


class TestClock:
    def test_one_worker_takes_one_trial_after_the_other(self):
        told = list(simulate(Listed([1.0, 2.0], stopped={0})))
        assert [(one.trial, one.rung, one.seconds) for one in told] == [
            ("simulated-0", 0, 1.0),
            ("simulated-1", 0, 3.0),
            ("simulated-1", 1, 7.0),
            ("simulated-1", 2, 19.0),
        ]
        assert [one.spent for one in told] == [{"lora": one.seconds} for one in told]
        assert [one.is_completed for one in told] == [False, False, False, True]

    def test_two_workers_share_the_list_and_all_their_seconds_count(self):
        told = list(simulate(Listed([1.0, 2.0, 1.0], stopped={0}), workers=2))
        # Trial 0 ends at 1; trial 2 takes its worker from then on, to 10; trial 1 ends at 18.
        assert [(one.trial[-1], one.seconds, one.spent["lora"]) for one in told] == [
            ("0", 1.0, 2.0),
            ("1", 2.0, 4.0),
            ("2", 2.0, 4.0),
            ("2", 4.0, 8.0),
            ("1", 6.0, 12.0),
            ("2", 10.0, 20.0),
            ("1", 18.0, 28.0),
        ]

    def test_what_is_spent_in_all_is_what_the_trials_cost(self, curves):
        told = list(simulate(SimulatedSweep(curves), workers=3))
        cost = Counter()
        for one in told:
            if not one.goes_on:
                cost[one.method] += one.curve.seconds[one.rung]
        assert told[-1].spent == pytest.approx(dict(cost))

    @pytest.mark.parametrize("workers", [1, 8])
    def test_a_pause_costs_nothing(self, curves, workers):
        search = SimulatedSweep(curves, scheduler="promote", sampler="random")
        told = list(simulate(search, workers))
        cost = Counter()
        for record in search.store.records.values():
            cost[record.method] += search.curve(record).seconds[len(record.rungs) - 1]
        assert told[-1].spent == pytest.approx(dict(cost))
        assert sum(len(record.rungs) for record in search.store.records.values()) == len(told)


def test_a_scheduler_is_measured_by_full_trainings_and_by_what_it_missed(curves):
    """Of planted curves that never cross every scheduler finds the best; of 20 points all are tried."""
    search = {"sampler": "random", "trials_per_method": 20}
    none, promote = (
        measured(curves, {**search, "scheduler": scheduler}, 1, range(2)) for scheduler in ("none", "promote")
    )
    assert [(row["method"], row["cost"]) for row in none] == [("full", 20), ("lora", 20)]
    # 20 trials to 1 of 9 examples, 7 on to 3, 2 on to 9, and the default where it is not among them
    assert all(20 + 7 * 2 + 2 * 6 <= 9 * row["cost"] <= 20 + 8 * 2 + 3 * 6 for row in promote)
    assert {(row["regret"], row["missed"]) for row in [*none, *promote]} == {(0, 0)}


class TestNearest:
    def test_it_is_the_one_at_the_least_distance(self):
        grid = [
            {"learning_rate": rate, "rank": rank, "targets": targets}
            for rate, rank, targets in product((1e-4, 1e-2), (1, 5), ("attention", "all-linear"))
        ]
        point = {"learning_rate": 2e-4, "rank": 4, "targets": "all-linear"}
        assert nearest(SPACE, point, grid) == {"learning_rate": 1e-4, "rank": 5, "targets": "all-linear"}

    def test_words_are_further_than_numbers_within_the_range(self):
        near, far = {"learning_rate": 1e-5, "rank": 1}, {"learning_rate": 9e-2, "rank": 1}
        among = [{**near, "targets": "attention"}, {**far, "targets": "all-linear"}]
        assert nearest(SPACE, {**near, "targets": "all-linear"}, among)["targets"] == "all-linear"

    def test_rates_are_compared_on_their_logarithm(self):
        same = {"rank": 1, "targets": "attention"}
        among = [{"learning_rate": rate, **same} for rate in (1e-5, 1e-2)]
        assert nearest(SPACE, {"learning_rate": 4e-4, **same}, among)["learning_rate"] == 1e-2

    def test_a_study_has_every_point_once_and_learns_of_the_points_themselves(self):
        points = table(12).points
        study = optuna.create_study(sampler=Tabular(RandomSampler(seed=0), SPACE, points))
        told = []
        for _ in points:
            trial = study.ask(SPACE)
            told.append(dict(trial.params))
            study.tell(trial, 0.0)
        assert sorted(told, key=str) == sorted(points, key=str)
        assert [trial.params for trial in study.trials] == told
        assert told != points


class TestSimulatedSweep:
    def test_it_stops_what_asha_says_and_never_the_default(self, curves):
        """With one worker a restatement of ASHA decides each rung in the order of the reports."""
        search = SimulatedSweep(curves, seed=3)
        values: dict[tuple[str, int], list[float]] = {}
        for one in simulate(search):
            had = values.setdefault((one.method, one.rung), [])
            is_default = one.curve is curves.methods[one.method].curves[0]
            assert one.goes_on == (one.rung < 2 and (is_default or passes(had, one.score, 3)))
            had.append(one.score)
        ends = Counter(record.status for record in search.store.records.values())
        assert ends["stopped"] > 20
        assert sum(ends.values()) == 40

    def test_methods_have_equally_many_trials(self, curves):
        search = SimulatedSweep(curves, trials_per_method=7)
        begun = [one.method for one in simulate(search, workers=4) if one.rung == 0]
        assert Counter(begun) == {"full": 7, "lora": 7}

    def test_equal_seeds_are_equal_searches_and_other_seeds_others(self, curves):
        def proposals(seed):
            told = simulate(SimulatedSweep(curves, seed), workers=2)
            return [one.curve.hyperparameters for one in told if one.rung == 0]

        assert proposals(1) == proposals(1)
        assert proposals(1) != proposals(2)

    def test_without_a_scheduler_all_are_run_to_the_end(self, curves):
        told = list(simulate(SimulatedSweep(curves, scheduler="none", sampler="random")))
        assert sum(one.is_completed for one in told) == 40

    def test_what_diverged_ends_there_and_is_told_so(self, curves):
        lora = curves.methods["lora"]
        broken = Curve(hyperparameters=lora.curves[4].hyperparameters, scores=[None], seconds=[0.5])
        curves.methods["lora"] = lora.model_copy(
            update={"curves": [*lora.curves[:4], broken, *lora.curves[5:]]}
        )
        search = SimulatedSweep(curves)
        (end,) = [one for one in simulate(search) if one.curve == broken]
        assert (end.goes_on, end.is_completed) == (False, False)
        states = Counter(record.status for record in search.store.records.values())
        assert states["diverged"] == 1


def test_a_file_holds_what_was_written(curves, tmp_path):
    write(tmp_path / "curves.json", curves)
    assert read(tmp_path / "curves.json") == curves


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no curves"),
        ('{"name": "x"}', "methods"),
    ],
)
def test_another_file_is_refused_with_the_command_that_makes_one(tmp_path, content, message):
    (tmp_path / "curves.json").write_text(content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "curves.json")


def test_seconds_must_rise():
    with pytest.raises(ValueError, match="must rise from rung to rung"):
        Curve(hyperparameters={}, scores=[1.0, 2.0], seconds=[3.0, 3.0])


@pytest.fixture(scope="module")
def results(tmp_path_factory, cluster) -> Results:
    task = plant_task(tmp_path_factory.mktemp("recorded"))
    planned = sweep(
        task,
        search__trials_per_method=7,
        search__sampler="tpe",
        search__audit=7,
        resources__concurrent_trials=1,
        final__seeds=1,
    )
    run(planned, task / "run", address=cluster, trainable=Replay)
    return load_results(task / "run")


@pytest.mark.ray
@pytest.mark.timeout(300)
@pytest.mark.slow
class TestOfARealSweep:
    """A sweep on Ray, all of whose stopped trials are run on to the end after the search."""

    def test_its_curves_are_those_of_the_trials(self, results):
        curves = recorded(results)
        assert curves.rungs == REPLAYED_RUNGS
        for method, table in curves.methods.items():
            records = results.search(method)
            assert [one.hyperparameters for one in table.curves] == [r.hyperparameters for r in records]
            for one in table.curves:
                scores = [curve(method, one.hyperparameters, examples) for examples in REPLAYED_RUNGS]
                assert one.scores == pytest.approx(scores, abs=1e-4)
                # 3 seconds for 27 examples, and half a second for three rungs
                seconds = [n / 9 + place / 6 for place, n in enumerate(REPLAYED_RUNGS, start=1)]
                assert one.seconds == pytest.approx(seconds, abs=1e-4)

    def test_simulated_with_its_seed_it_is_itself(self, results):
        search = SimulatedSweep(recorded(results), results.sweep.seed)
        list(simulate(search))
        for record in results.records:
            if record.phase == "search":
                again = search.store.records[record.id]
                assert again.hyperparameters == record.hyperparameters
                assert (again.status, len(again.rungs)) == (record.status, len(record.rungs))
        assert {r.status for r in search.store.records.values()} == {"completed", "stopped"}

    def test_without_the_audit_there_is_nothing_to_simulate(self, results):
        kept = [r for r in results.records if (r.phase, r.number) != ("search", 0)]
        with pytest.raises(InputError, match=r"search\.audit"):
            recorded(replace(results, records=kept))
