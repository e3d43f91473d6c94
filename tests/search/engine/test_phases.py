"""A phase is run until nothing is left of it, and given up when that leads nowhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from search.cluster.failures import SweepFailed
from search.engine.experiment import ATTEMPTS, TrialPhase, Work
from search.engine.final import Final
from search.engine.searcher import RecordQueue
from search.engine.time_limit import TimeLimit
from search.records.plan import Plan
from search.records.trial_store import TrialStore
from tests.search.engine.test_final import plan_of


class Running(TrialPhase):
    """The trials that are running."""

    name = "test"

    def unended(self, plan: Plan, store: TrialStore) -> int:
        return sum(record.status == "running" for record in store.records.values())

    @contextmanager
    def work(self, plan: Plan, store: TrialStore) -> Iterator[Work]:
        yield Work(RecordQueue(plan, store, []))


class Experiment(SimpleNamespace):
    """Ends after one event in the trial store, as one does that Ray ends early."""

    def fit(self, work: Work, store: TrialStore) -> None:
        self.attempts += 1
        if self.events:
            self.events.pop(0)(store)


def run(planted: Any, *events: Any) -> int:
    """How many experiments it took."""
    experiment = Experiment(attempts=0, events=list(events), limit=TimeLimit())
    Running().run(plan_of(planted), experiment)
    return experiment.attempts


def test_what_ended_early_goes_on_from_the_records(bare):
    for number in (0, 1):
        bare.trial("lora", number, [], status="running", ended=None)
    assert run(bare, *(lambda store, n=n: store.fail(f"lora/000{n}", "it broke") for n in (0, 1))) == 2
    assert run(bare) == 0


def test_what_leads_nowhere_is_given_up(bare):
    bare.trial("lora", 0, [], status="running", ended=None)
    retries = [lambda store: store.retry("lora/0000")] * 9
    with pytest.raises(SweepFailed, match=rf"The test ended {ATTEMPTS} times with work left"):
        run(bare, *retries)
    assert TrialStore(bare.folder).records["lora/0000"].failures == len(retries)


def test_after_the_time_no_phase_begins_anything(bare, caplog):
    bare.trial("lora", 0, [], status="running", ended=None)
    experiment = Experiment(attempts=0, events=[], limit=TimeLimit("deadline", 0.0))
    Running().run(plan_of(bare), experiment)
    assert experiment.attempts == 0
    assert caplog.messages == [
        f"The time is over (deadline: 0 s): of the test 1 trials are left. Go on with: tuneoff resume "
        f"{bare.folder.root}"
    ]


def test_the_sooner_of_two_limits_counts():
    now = [0.0]
    short, long = (TimeLimit(name, seconds, lambda: now[0]) for name, seconds in (("a", 2), ("b", 3)))
    assert short.sooner(long) is long.sooner(short) is short.sooner(TimeLimit()) is TimeLimit().sooner(short)
    assert not short.has_passed()
    now[0] = 2.5
    assert (short.has_passed(), long.has_passed(), TimeLimit().has_passed()) == (True, False, False)


def test_what_is_left_of_the_final_is_counted_without_entering_it(searched):
    plan, final = plan_of(searched), Final()
    before = TrialStore(searched.folder).records
    assert final.left(plan, TrialStore(searched.folder)) == 1 + 3 * 3
    assert TrialStore(searched.folder).records == before
    final.prepare(plan, Experiment())
    assert final.left(plan, TrialStore(searched.folder)) == 1 + 3 * 3
    assert final.unended(plan, TrialStore(searched.folder)) == 1 + 3 * 3


def test_a_run_that_failed_is_left_to_the_next_start_alone(finished):
    finished.final("full", 1, None, status="failed", rungs=[], error="it broke")
    plan, store = plan_of(finished), TrialStore(finished.folder)
    assert (Final().unended(plan, store), Final().left(plan, store)) == (0, 1)
