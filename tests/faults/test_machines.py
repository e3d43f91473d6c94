"""Machines that die, are taken away and join while a sweep runs."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from search.engine.runner import run
from search.records.events import Event
from search.records.record import Record
from search.records.results import Results
from tests.faults.machines import Machines, machines
from tests.faults.measure import next_began, tell
from tests.search.replay import Replay, plant_task, steps, sweep

pytestmark = [pytest.mark.faults, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def two() -> Iterator[Machines]:
    """Two machines; a test that takes one away adds another."""
    with machines(2) as started:
        yield started


class Once:
    """A listener that does something at the first rung of a trial, to the machine that the trial is on.

    It notes the machine of each rung, which cannot be told of a worker that has ended.
    """

    def __init__(self, task: Path, two: Machines, trial: str, do: Callable[[int], None]) -> None:
        self.task, self.two, self.trial, self.do = task, two, trial, do
        self.when: float | None = None
        self.machines: list[tuple[float, int]] = []

    def __call__(self, event: Event, record: Record) -> None:
        if event != "rung":
            return
        step = [step for step in steps(self.task) if step["trial"] == record.id][-1]
        if psutil.pid_exists(step["pid"]):
            self.machines.append((step["began"], self.two.of(step["pid"])))
        if record.id == self.trial and self.when is None:
            self.when = time.time()
            self.do(self.machines[-1][1])


def swept(task: Path, address: str, listener: Once, *, trials: int = 3) -> Results:
    changes = {"search": {"trials_per_method": trials, "sampler": "random"}, "final": {"seeds": 1}}
    return run(sweep(task, **changes), task / "run", address=address, listeners=[listener], trainable=Replay)


def nothing_lost(task: Path, results: Results) -> None:
    """All trials ended well, none failed, and no rung was trained again but for a preemption."""
    assert {record.status for record in results.records} <= {"completed", "stopped"}
    trained = Counter((step["trial"], step["rung"]) for step in steps(task))
    for record in results.records:
        assert record.failures == 0
        again = sum(count - 1 for (trial, _), count in trained.items() if trial == record.id)
        assert again <= record.preemptions


@pytest.mark.parametrize("how", ["kill", "reclaim"])
def test_a_machine_that_goes_takes_no_trial_with_it(two, tmp_path, how):
    task = plant_task(tmp_path, seconds=0.3)
    listener = Once(task, two, "full/0000", getattr(two, how))
    results = swept(task, two.address, listener)
    two.add()
    nothing_lost(task, results)
    assert len(results.trials) == 6
    taken = next(record for record in results.records if record.id == "full/0000")
    assert taken.preemptions == 1
    told = {"kill": "a machine dies", "reclaim": "a machine is reclaimed (SIGTERM, then off)"}
    tell(told[how], next_began(task, "full/0000", listener.when) - listener.when)


def test_a_machine_that_joins_is_used(two, tmp_path):
    # Trials that are shorter than the start of a worker are done by those that there are.
    task = plant_task(tmp_path, seconds=6)
    before = set(two.names)
    listener = Once(task, two, "full/0000", lambda machine: two.add())
    nothing_lost(task, swept(task, two.address, listener, trials=5))
    (new,) = set(two.names) - before
    began = [began for began, machine in listener.machines if machine == new]
    assert began
    tell("a machine joins, until it trains", min(began) - listener.when)
