"""Simulated searches, on curves with known ends."""

import math
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.schedulers import measured
from benchmarks.simulation import (
    Curve,
    Curves,
    MethodCurves,
    Recorded,
    SimulatedSweep,
    read,
    recorded,
    simulate,
    write,
)
from search.engine.runner import run
from search.records.results import Results, load_results
from spaces import get
from tests.search.replay import RUNGS as REPLAYED_RUNGS
from tests.search.replay import Replay, curve, plant_task, sweep
from tests.search.schedulers.test_scheduler import passes
from trainables.errors import InputError

RUNGS = [1, 3, 9]


def planted(quality: float, point: dict, seconds: float = 1.0) -> Curve:
    """Scores that never cross: half, three quarters and all of `quality`."""
    return Curve(
        hyperparameters=point,
        scores=[quality / 2, quality * 3 / 4, quality],
        seconds=[seconds * rung for rung in RUNGS],
    )


class Planted:
    """The learning rate alone decides, best in the middle of its logarithm; a number ends where it broke."""

    rungs = RUNGS
    reduction_factor = 3
    space = get("lora")

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds

    def curve(self, point: dict, seed: int) -> Curve:
        quality = 50 - 10 * abs(math.log10(point["learning_rate"]) + 3)
        return planted(quality, point, self.seconds)


class Breaking(Planted):
    """One that is not the default diverges at once."""

    def curve(self, point: dict, seed: int) -> Curve:
        if point["learning_rate"] == self.space.default["learning_rate"]:
            return super().curve(point, seed)
        return Curve(hyperparameters=point, scores=[None], seconds=[0.5])


@pytest.fixture
def learners() -> dict[str, Planted]:
    return {"full": Planted(), "lora": Planted(seconds=2.0)}


@pytest.fixture
def curves() -> Curves:
    point = get("lora").default
    table = MethodCurves(base="lora", space=get("lora").distributions, curves=[planted(1.0, point)])
    return Curves(name="p", seconds="p", rungs=RUNGS, reduction_factor=3, methods={"lora": table})


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

    def test_what_is_spent_in_all_is_what_the_trials_cost(self, learners):
        sweep = SimulatedSweep(learners, sampler="random", trials_per_method=8)
        told = list(simulate(sweep, workers=3))
        cost = Counter()
        for one in told:
            if not one.goes_on:
                cost[one.method] += one.curve.seconds[one.rung]
        assert told[-1].spent == pytest.approx(dict(cost))

    @pytest.mark.parametrize("workers", [1, 8])
    def test_a_pause_costs_nothing(self, learners, workers):
        search = SimulatedSweep(learners, scheduler="promote", sampler="random")
        told = list(simulate(search, workers))
        cost = Counter()
        records = search.store.records.values()
        for record, known in zip(records, search.curves_of(records), strict=True):
            cost[record.method] += known.seconds[len(record.rungs) - 1]
        assert told[-1].spent == pytest.approx(dict(cost))
        assert sum(len(record.rungs) for record in search.store.records.values()) == len(told)


def test_a_scheduler_is_measured_by_full_trainings_and_by_what_it_missed():
    """Of planted curves that never cross every scheduler finds the best; of 20 points all are tried."""
    points = [{**get("lora").default, "rank": rank} for rank in range(4, 24)]
    tables = {
        method: MethodCurves(
            base="lora",
            space=get("lora").distributions,
            curves=[planted(50.0 - n, point, seconds) for n, point in enumerate(points)],
        )
        for method, seconds in (("full", 1.0), ("lora", 2.0))
    }
    curves = Curves(name="p", seconds="p", rungs=RUNGS, reduction_factor=3, methods=tables)
    search = {"sampler": "random", "trials_per_method": 20}
    none, promote = (
        measured(curves, {**search, "scheduler": scheduler}, 1, range(2)) for scheduler in ("none", "promote")
    )
    assert [(row["method"], row["cost"]) for row in none] == [("full", 20), ("lora", 20)]
    # 20 trials to 1 of 9 examples, 7 on to 3, 2 on to 9, and the default where it is not among them
    assert all(20 + 7 * 2 + 2 * 6 <= 9 * row["cost"] <= 20 + 8 * 2 + 3 * 6 for row in promote)
    assert {(row["regret"], row["missed"]) for row in [*none, *promote]} == {(0, 0)}


class TestSimulatedSweep:
    def test_it_stops_what_asha_says_and_never_the_default(self, learners):
        """With one worker a restatement of ASHA decides each rung in the order of the reports."""
        search = SimulatedSweep(learners, seed=3, sampler="random", trials_per_method=20)
        values: dict[tuple[str, int], list[float]] = {}
        for one in simulate(search):
            had = values.setdefault((one.method, one.rung), [])
            is_default = one.curve.hyperparameters == get("lora").default
            assert one.goes_on == (one.rung < 2 and (is_default or passes(had, one.score, 3)))
            had.append(one.score)
        ends = Counter(record.status for record in search.store.records.values())
        assert ends["stopped"] > 20
        assert sum(ends.values()) == 40

    def test_methods_have_equally_many_trials(self, learners):
        search = SimulatedSweep(learners, sampler="random", trials_per_method=7)
        begun = [one.method for one in simulate(search, workers=4) if one.rung == 0]
        assert Counter(begun) == {"full": 7, "lora": 7}

    def test_equal_seeds_are_equal_searches_and_other_seeds_others(self, learners):
        def proposals(seed):
            told = simulate(SimulatedSweep(learners, seed, trials_per_method=6), workers=2)
            return [one.curve.hyperparameters for one in told if one.rung == 0]

        assert proposals(1) == proposals(1)
        assert proposals(1) != proposals(2)

    def test_without_a_scheduler_all_are_run_to_the_end(self, learners):
        search = SimulatedSweep(learners, scheduler="none", sampler="random", trials_per_method=6)
        assert sum(one.is_completed for one in simulate(search)) == 12

    def test_what_diverged_ends_there_and_is_told_so(self):
        search = SimulatedSweep({"lora": Breaking()}, sampler="random", trials_per_method=3)
        ends = [one for one in simulate(search) if not one.goes_on]
        assert [one.is_completed for one in ends] == [True, False, False]
        states = Counter(record.status for record in search.store.records.values())
        assert states == {"completed": 1, "diverged": 2}


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
        curves, settings = recorded(results), results.sweep.search
        learners = {method: Recorded(curves, method) for method in curves.methods}
        told = {"sampler": settings.sampler, "trials_per_method": settings.trials_per_method}
        search = SimulatedSweep(learners, results.sweep.seed, **told)
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
