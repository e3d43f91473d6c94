"""A trial that outgrows its machine's memory, on a cluster with Ray's memory monitor."""

import re
from pathlib import Path

import psutil
import pytest

from search.engine.runner import run
from search.records.results import Results
from tests.faults.machines import machines
from tests.faults.measure import tell
from tests.search.replay import Replay, plant_task, steps, sweep

pytestmark = [pytest.mark.faults, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]

HEADROOM_BYTES = 5_000_000_000
"""What others may take meanwhile, tests beside this one among them; the trial takes 8 GB."""


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Path:
    failures = {"lora/0001": ("outgrows its memory", 0)}
    return plant_task(tmp_path_factory.mktemp("hoarded"), seconds=0.1, failures=failures)


@pytest.fixture(scope="module")
def hoarded(task) -> Results:
    settings = {"search": {"trials_per_method": 3, "sampler": "random"}, "final": {"seeds": 1}}
    memory = psutil.virtual_memory()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_memory_monitor_refresh_ms", "100")
        share = 1 - (memory.available - HEADROOM_BYTES) / memory.total
        environment.setenv("RAY_memory_usage_threshold", f"{share:.3f}")
        with machines(2) as two:
            return run(sweep(task, **settings), task / "run", address=two.address, trainable=Replay)


def test_it_ends_as_out_of_memory_after_two_retries(hoarded, task):
    record = next(record for record in hoarded.records if record.id == "lora/0001")
    assert (record.status, record.failures, record.rungs) == ("out_of_memory", 2, [])
    assert re.match(
        r"1 worker\(s\) were killed due to the node running low on memory\. .*GB limit", record.error
    )


def test_the_sweep_goes_on_and_the_others_have_their_budget(hoarded, task):
    trials = [record for record in hoarded.records if record.phase == "search"]
    assert len(trials) == 6
    assert {r.status for r in trials if r.id != "lora/0001"} <= {"completed", "stopped"}
    assert {r.failures for r in trials if r.id != "lora/0001"} == {0}
    tell("a trial outgrows its memory, and the rest is done", _seconds(task))


def _seconds(task: Path) -> float:
    log = steps(task)
    return log[-1]["ended"] - log[0]["began"]
