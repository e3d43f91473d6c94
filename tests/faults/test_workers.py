"""What befalls workers on one machine: they hang, are killed, are told to go, find no room on the disk."""

import errno
import os
import re
from collections import Counter
from itertools import count
from pathlib import Path

import psutil
import pytest

from search.cluster.failures import SweepFailed
from search.engine.runner import run
from search.records import run_folder as store
from search.records.results import Results
from tests.faults.measure import seconds_to_recover
from tests.search.replay import Replay, plant_task, steps, sweep

pytestmark = [pytest.mark.faults, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]

LIMIT = 1.5
FAILURES = {
    "full/0000": ("hangs", 1),
    "full/0001": ("is killed once", 0),
    "lora/0000": ("is told to go once", 1),
    "lora/0001": ("hangs in C", 0),
}
SETTINGS = {
    "search": {"trials_per_method": 2, "sampler": "random"},
    "final": {"seeds": 1},
    "resources": {"trial_timeout": LIMIT},
}


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Path:
    return plant_task(tmp_path_factory.mktemp("interrupted"), seconds=0.05, failures=FAILURES)


@pytest.fixture(scope="module")
def interrupted(task, cluster) -> Results:
    return run(sweep(task, **SETTINGS), task / "run", address=cluster, trainable=Replay)


def record(results, trial):
    return next(record for record in results.records if record.id == trial)


@pytest.mark.parametrize(("trial", "since"), [("full/0000", "rung 1"), ("lora/0001", "its start")])
def test_a_trial_that_hangs_is_killed_and_says_how_long_it_hung(interrupted, trial, since):
    hung = record(interrupted, trial)
    assert (hung.status, hung.failures, hung.stop) == ("failed", 0, None)
    waited, limit = re.fullmatch(
        rf"Timed out: nothing was told for ([\d.]+) s after {since}; "
        r"resources.trial_timeout is ([\d.]+) s.",
        hung.error,
    ).groups()
    assert float(limit) == LIMIT
    assert LIMIT <= float(waited) < LIMIT + 5  # told in tenths


def test_a_worker_that_hung_is_gone(task, interrupted):
    pids = {step["pid"] for step in steps(task) if step["trial"] == "full/0000"}
    assert len(pids) == 1
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_worker_that_is_killed_counts_as_a_failure_and_loses_one_rung_at_most(task, interrupted):
    killed = record(interrupted, "full/0001")
    assert (killed.failures, killed.preemptions, killed.error) == (1, 0, None)
    trained = [step["rung"] for step in steps(task) if step["trial"] == "full/0001"]
    assert trained == [rung.rung for rung in killed.rungs]
    seconds_to_recover("a worker is killed (kill -9)", task, "full/0001")


def test_a_worker_that_is_told_to_go_is_no_failure_of_its_trial(task, interrupted):
    told = record(interrupted, "lora/0000")
    assert (told.status, told.failures, told.preemptions) == ("completed", 0, 1)
    assert [step["rung"] for step in steps(task) if step["trial"] == "lora/0000"] == [0, 1, 2]
    seconds_to_recover("a worker is told to go (SIGTERM)", task, "lora/0000")


def test_the_report_counts_preemptions_apart_from_failures(interrupted):
    report = (interrupted.folder.report / "report.md").read_text()
    assert "Preemptions, after each of which the trial went on elsewhere: `lora/0000` 1" in report
    assert "`full/0000` failed: `Timed out: nothing was told for" in report
    assert "`lora/0000` failed" not in report


def test_every_method_has_its_trials_and_its_final(interrupted):
    assert len(interrupted.trials) == 4
    assert set(interrupted.finals["status"]) == {"completed"}


def test_a_full_disk_stops_the_sweep_and_fails_no_trial(tmp_path, cluster):
    failures = dict.fromkeys(("full/0001", "lora/0001"), ("finds the disk full", 0))
    task = plant_task(tmp_path, seconds=0.05, failures=failures)
    (task / "model" / "full").touch()
    message = rf"No space is left for {task}/run \(\w+/0001: OSError: \[Errno 28\] .*make room, then go on"
    with pytest.raises(SweepFailed, match=message):
        run(sweep(task, **SETTINGS), task / "run", address=cluster, trainable=Replay)
    (task / "model" / "full").unlink()
    done = run(sweep(task, **SETTINGS), task / "run", address=cluster, trainable=Replay)
    assert {r.status for r in done.records} <= {"completed", "stopped"}
    assert len(done.trials) == 4
    assert {r.failures for r in done.records} == {0}
    trained = Counter((step["trial"], step["rung"]) for step in steps(task))
    again = {trial for (trial, _), count in trained.items() if count > 1}
    assert len(again - failures.keys()) <= 1  # the other of the two that ran when the sweep was stopped
    assert max(trained.values()) <= 3


def test_a_driver_that_finds_the_disk_full_says_so_and_goes_on_later(tmp_path, cluster, monkeypatch):
    task = plant_task(tmp_path, seconds=0.05)
    write, written = store.write_text, count(1)

    def full_at_the_tenth(path: Path, text: str) -> None:
        if next(written) == 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write(path, text)

    monkeypatch.setattr(store, "write_text", full_at_the_tenth)
    with pytest.raises(SweepFailed, match=rf"No space is left for {task}/run \(.*Errno 28\] .*make room"):
        run(sweep(task, **SETTINGS), task / "run", address=cluster, trainable=Replay)
    done = run(sweep(task, **SETTINGS), task / "run", address=cluster, trainable=Replay)
    assert {r.status for r in done.records} <= {"completed", "stopped"}
    assert {r.failures for r in done.records} == {0}
    trained = Counter((step["trial"], step["rung"]) for step in steps(task))
    assert sum(number - 1 for number in trained.values()) <= 2
