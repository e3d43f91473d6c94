"""GPUs that fail under trials: CUDA errors that no process survives."""

from pathlib import Path

import pytest

from search.engine.runner import run
from search.records.results import Results
from tests.search.replay import Replay, asked, plant_task, steps, sweep

pytestmark = [pytest.mark.faults, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]

FAILURES = {
    "full/0000": ("loses its device once", 1),
    "lora/0001": ("loses its device", 0),
    "checks/full": ("loses its device", 2),
}
SETTINGS = {"search": {"trials_per_method": 2, "sampler": "random"}, "final": {"seeds": 1}}


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Path:
    return plant_task(tmp_path_factory.mktemp("befallen"), seconds=0.05, failures=FAILURES)


@pytest.fixture(scope="module")
def befallen(task, cluster) -> Results:
    return run(sweep(task, **SETTINGS), task / "run", address=cluster, trainable=Replay)


def record(results, trial):
    return next(record for record in results.records if record.id == trial)


def pids(task, trial):
    return [step["pid"] for step in steps(task) if step["trial"] == trial]


def test_a_trial_whose_device_failed_goes_on_in_another_process(task, befallen):
    once = record(befallen, "full/0000")
    assert (once.status, once.device_failures, once.failures, once.preemptions) == ("completed", 1, 0, 0)
    before, *after = pids(task, "full/0000")
    assert len(after) == 2
    assert before not in after


def test_one_that_breaks_its_device_every_time_ends_with_the_error(befallen):
    broken = record(befallen, "lora/0001")
    assert (broken.status, broken.device_failures, broken.failures) == ("failed", 3, 0)
    assert broken.error.endswith("DeviceFailed: CUDA error: an illegal memory access was encountered")


def test_the_others_are_not_harmed(befallen):
    others = [record for record in befallen.records if record.id not in FAILURES]
    assert {record.status for record in others} <= {"completed", "stopped"}
    assert {record.device_failures for record in others} == {0}


def test_checks_are_asked_again_of_another_process(task, befallen):
    requests = [request for request in asked(task) if request["method"] == "full"]
    assert len({request["pid"] for request in requests}) == len(requests) == 3
    assert befallen.folder.read_preflight().failed() == []


def test_checks_that_always_break_the_device_fail_their_method_only(tmp_path, cluster):
    task = plant_task(tmp_path, failures={"checks/full": ("loses its device", 9)})
    results = run(sweep(task, **SETTINGS), task / "run", address=cluster, trainable=Replay)
    preflight = results.folder.read_preflight()
    assert preflight.failed() == ["full"]
    (check,) = preflight.methods["full"].checks
    assert check.message.startswith("the device failed 4 times, each time in a new worker: CUDA error: an")
    assert {record.method for record in results.records} == {"lora", "baseline"}
