"""Pause and promote, held against successive halving by brute force, with workers that come and go."""

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from search.config.sweep import Sweep, differences
from search.records.record import Record
from search.schedulers.ladder import Ladder
from tests.search.driven import NARROW, Driven
from tests.search.replay import RUNGS, sweep
from trainables.rung_report import RungReport

SEARCH = {"trials_per_method": 10, "sampler": "random", "study_storage": "sqlite://", "scheduler": "promote"}


def drawn(trial: str, rung: int, what: str) -> float:
    """A score or a loss that foretells nothing; of few values, so that ties are frequent."""
    return float(Random(f"{trial}/{rung}/{what}").randint(0, 12))


def loss_of(trial: str, rung: int) -> float | None:
    return drawn(trial, rung, "loss")


class Workers:
    """A search whose trials are reported by so many workers, in any order.

    Args:
        lost: asked after each thing that happens, whether the driver dies there and is started again.
    """

    def __init__(
        self, root: Path, count: int = 1, *, lost: Callable[[], bool] = lambda: False, **search: Any
    ) -> None:
        self.count = count
        self.lost = lost
        self.random = Random(0)
        self.driven = Driven(root / "run", sweep(root, methods=NARROW, search=SEARCH | search))
        self.live: list[str] = []
        self.begun: list[tuple[int, str]] = []
        """The rungs that workers set out to, with the trial."""

    @property
    def records(self) -> dict[str, Record]:
        return self.driven.store.records

    def run(self, events: float = math.inf) -> "Workers":
        while events > 0:
            while len(self.live) < self.count and (record := self.driven.begin()):
                self.live.append(record.id)
                self.begun.append((len(record.rungs), record.id))
                self.perhaps_die()
            if not self.live:
                break
            events -= 1
            self.report(self.live.pop(self.random.randrange(len(self.live))))
        return self

    def report(self, trial: str) -> None:
        driven, record = self.driven, self.records[trial]
        rung = len(record.rungs)
        told = RungReport(
            rung=rung,
            examples=RUNGS[rung],
            score=drawn(trial, rung, "score"),
            loss=loss_of(trial, rung),
            cost={"train_seconds": drawn(trial, rung, "cost")},
            status="completed" if rung == len(RUNGS) - 1 else "running",
        )
        ends = driven.scheduler.ends(record, told)
        driven.studies[record.method].tell(driven.store.report(trial, told, ends))
        if self.records[trial].status == "running":
            self.live.append(trial)
        if not self.perhaps_die():
            driven.search.settle()

    def perhaps_die(self) -> bool:
        if self.lost():
            self.live.clear()
            self.driven.restart()
            return True
        return False

    def switch(self, scheduler: str) -> None:
        plan = self.driven.plan
        search = plan.sweep.search.model_copy(update={"scheduler": scheduler})
        object.__setattr__(plan, "sweep", plan.sweep.model_copy(update={"search": search}))
        self.live.clear()
        self.driven.restart()

    def reached(self, method: str) -> list[set[int]]:
        """The trials that were scored at each rung."""
        records = self.driven.store.search(method)
        return [{r.number for r in records if len(r.rungs) > rung} for rung in range(len(RUNGS))]


def best(trials: set[int], method: str, rung: int, what: str, count: int) -> set[int]:
    sign = -1 if what == "score" else 1
    return set(sorted(trials, key=lambda n: (sign * drawn(f"{method}/{n:04d}", rung, what), n))[:count])


def halving(method: str, trials: int, factor: int, signals: list[str]) -> list[set[int]]:
    """Successive halving, one rung after the other; trial 0, the default, goes on whatever it is worth."""
    rungs = [set(range(trials))]
    for rung in range(len(RUNGS) - 1):
        count = max(1, math.floor(trials / factor ** (rung + 1) + 0.5))
        rungs.append({0}.union(*(best(rungs[-1], method, rung, what, count) for what in signals)))
    return rungs


SIGNALS = {"score": ["score"], "score or loss": ["score", "loss"]}


@pytest.mark.parametrize("by", SIGNALS)
def test_one_worker_promotes_what_successive_halving_does_rung_by_rung(tmp_path, by):
    workers = Workers(tmp_path, promote_by=by).run()
    for method in NARROW:
        assert workers.reached(method) == halving(method, 10, 3, SIGNALS[by])
    rungs = [rung for rung, _ in workers.begun]
    assert rungs == sorted(rungs)  # all methods fill a rung before any goes on from it
    assert {record.status for record in workers.records.values()} == {"completed", "stopped"}


def test_where_no_loss_is_known_the_score_alone_promotes(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.loss_of", lambda trial, rung: None)
    workers = Workers(tmp_path, promote_by="score or loss").run()
    for method in NARROW:
        assert workers.reached(method) == halving(method, 10, 3, ["score"])
    reasons = {record.stop.reason for record in workers.records.values() if record.stop}
    assert not any("by loss" in reason for reason in reasons)


def test_of_sixteen_trials_go_on_five_then_two_then_one():
    assert [Ladder([], 16, 3, []).places(rung) for rung in range(4)] == [5, 2, 1, 1]


@pytest.mark.parametrize("count", [3, 8])
@pytest.mark.parametrize("by", SIGNALS)
def test_many_workers_promote_at_least_the_best_of_each_rung_and_wait_for_none(tmp_path, count, by):
    workers = Workers(tmp_path, count, promote_by=by).run()
    for method in NARROW:
        reached = workers.reached(method)
        for rung, (here, after) in enumerate(pairwise(reached)):
            places = max(1, math.floor(10 / 3 ** (rung + 1) + 0.5))
            firm = {0}.union(*(best(here, method, rung, what, places) for what in SIGNALS[by]))
            assert firm <= after
            assert len(after - firm) < count  # those begun sooner than have a worker idle
        assert reached[0] == set(range(10))


def test_what_is_out_says_its_rank_and_its_checkpoint_goes_at_once(tmp_path):
    workers = Workers(tmp_path, promote_by="score").run(events=2 * 10)
    for record in workers.records.values():
        ahead = best(set(range(10)), record.method, 0, "score", record.number + 1)
        if record.status == "stopped":
            assert record.stop.rank > record.stop.go_on == 3
            assert record.stop.reason.startswith("not promoted: rank ")
        else:
            assert record.status == "paused" or record.origin == "default"
            assert record.origin == "default" or record.number in best(ahead, record.method, 0, "score", 3)
    paused = [record for record in workers.records.values() if record.status == "paused"]
    assert len(paused) <= 2 * (3 + 1)


@pytest.mark.parametrize("search", [{}, {"objectives": ["rougeL", {"cost": "train_seconds"}]}])
def test_a_driver_that_dies_after_each_event_promotes_the_same(tmp_path, search):
    unbroken = Workers(tmp_path / "unbroken", **search).run()
    broken = Workers(tmp_path / "broken", **search)
    broken.lost = lambda: broken.random.random() < 0.5
    broken.run()
    broken.lost = lambda: False
    broken.run()  # the driver may have died when it seemed to be done
    times = {"started", "ended"}
    records = [
        {name: record.model_dump(exclude=times) for name, record in one.records.items()}
        for one in (unbroken, broken)
    ]
    assert records[0] == records[1]
    assert all(record.status.has_ended for record in broken.records.values())


@pytest.mark.parametrize("first", ["asha", "promote"])
@pytest.mark.parametrize("events", [3, 14, 22])
def test_a_folder_goes_on_with_the_other_scheduler(tmp_path, first, events):
    workers = Workers(tmp_path, 2, scheduler=first).run(events)
    had = {name: len(record.rungs) for name, record in workers.records.items()}
    other = "promote" if first == "asha" else "asha"
    workers.switch(other)
    if other == "asha":
        assert not any(record.status == "paused" for record in workers.records.values())
    workers.run()
    assert len(workers.records) == 2 * 10
    assert all(record.status.has_ended for record in workers.records.values())
    assert all(len(workers.records[name].rungs) >= rungs for name, rungs in had.items())
    for method in NARROW:
        assert 0 in workers.reached(method)[-1]


def test_only_schedulers_that_pause_or_stop_alike_may_be_exchanged(tmp_path):
    def of(scheduler: str) -> Sweep:
        return sweep(tmp_path, search__scheduler=scheduler)

    assert differences(of("asha"), of("promote")) == differences(of("promote"), of("asha")) == []
    (problem,) = differences(of("asha"), of("none"))
    assert "may change between asha and promote only" in problem.message


def test_a_trial_that_fails_leaves_its_rung_to_the_others(tmp_path):
    workers = Workers(tmp_path, promote_by="score").run(events=12)
    trial = workers.driven.begin().id
    record = workers.driven.store.fail(trial, "Traceback: it broke")
    workers.driven.studies[record.method].tell(record)
    workers.run()
    assert all(record.status.has_ended for record in workers.records.values())
    assert len(workers.reached(record.method)[1]) >= 3


def test_what_is_held_back_keeps_its_rung_open_and_does_not_keep_the_search_from_ending(tmp_path):
    workers = Workers(tmp_path, trials_per_method=2).run(events=1)
    for _ in range(3):
        record = workers.driven.begin()
        workers.driven.store.require_whole_gpu(record.id)
    workers.driven.restart()
    queue = workers.driven.search
    assert (len(queue.held_back), queue.has_next()) == (3, False)
    queue.release_held_back()
    workers.run()
    assert all(record.status.has_ended for record in workers.records.values())


def test_a_sampler_learns_from_paused_trials_as_from_pruned_ones(tmp_path):
    """The oracle: Optuna's own sampler on a study in which they were pruned."""
    workers = Workers(tmp_path, sampler="tpe", trials_per_method=9).run(events=2 * 8)
    study = workers.driven.studies["lora"]
    paused = [record for record in workers.driven.store.search("lora") if record.status == "paused"]
    assert paused
    plain = optuna.create_study(direction="maximize", sampler=study.sampler_of(8))
    for record in workers.driven.store.search("lora")[:8]:
        values = {RUNGS[rung.rung]: rung.score for rung in record.rungs}
        params = {name: record.hyperparameters[name] for name in study.space.distributions}
        plain.add_trial(
            create_trial(
                state=TrialState.PRUNED,
                params=params,
                distributions=dict(study.space.distributions),
                intermediate_values=values,
            )
        )
    expected = plain.ask(dict(study.space.distributions)).params
    assert study.propose(8)[0].items() >= expected.items()
    states = [trial.state for trial in study.study.trials[:8]]
    assert set(states) == {TrialState.PRUNED}
