"""A trial is overdue by a clock of the driver's own."""

from types import SimpleNamespace

import pytest
import ray

from search.engine.deadline import Deadline

pytestmark = pytest.mark.faults


class Trials:
    """Some trials and a clock, as Tune and the machine would have them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, limit: float | None) -> None:
        self.now = 100.0
        self.killed: list[str] = []
        self.deadline = Deadline(limit, clock=lambda: self.now)
        monkeypatch.setattr(ray, "kill", self.killed.append)

    def start(self, name: str, worker: str | None = "worker") -> SimpleNamespace:
        actor = None if worker is None else f"{worker} of {name}"
        trial = SimpleNamespace(trial_id=name, temporary_state=SimpleNamespace(ray_actor=actor))
        self.deadline.on_trial_start(1, [], trial)
        return trial

    def after(self, seconds: float) -> list[str]:
        """The workers that were killed by then."""
        self.now += seconds
        self.deadline.on_step_end(1, [])
        return self.killed


@pytest.fixture
def trials(monkeypatch) -> Trials:
    return Trials(monkeypatch, limit=10)


def test_a_trial_is_killed_once_when_it_is_overdue(trials):
    slow = trials.start("slow")
    assert trials.after(10) == []
    assert trials.after(0.5) == ["worker of slow"]
    assert trials.after(5) == ["worker of slow"]
    assert trials.deadline.overdue_seconds(slow) == 10.5
    assert trials.deadline.overdue_seconds(slow) is None


def test_each_rung_has_the_whole_time(trials):
    trial, other = trials.start("trial"), trials.start("other")
    trials.after(8)
    trials.deadline.on_trial_result(1, [], trial, {})
    assert trials.after(8) == ["worker of other"]
    assert trials.deadline.overdue_seconds(trial) is None
    assert trials.deadline.overdue_seconds(other) == 16


def test_what_was_told_in_the_last_moment_counts(trials):
    trial = trials.start("trial")
    trials.after(11)
    trials.deadline.on_trial_result(1, [], trial, {})
    assert trials.deadline.overdue_seconds(trial) is None


@pytest.mark.parametrize("end", ["on_trial_complete", "on_trial_error"])
def test_who_has_ended_is_never_late(trials, end):
    getattr(trials.deadline, end)(1, [], trials.start("trial"))
    assert trials.after(1000) == []


def test_who_has_no_worker_yet_is_left_alone(trials):
    trials.start("waiting", worker=None)
    assert trials.after(1000) == []


def test_without_a_limit_nobody_is_late(monkeypatch):
    trials = Trials(monkeypatch, limit=None)
    trials.start("trial")
    assert trials.after(1e9) == []
