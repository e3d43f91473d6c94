"""Ray itself dies or hangs under a sweep, which ends, blames no trial and no method, and can go on."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from search.engine.runner import run
from search.records.record import Record
from search.records.run_folder import RunFolder
from tests.faults.measure import tell
from tests.ray_cluster import started
from tests.search.replay import Replay, asked_about, plant_sweep, plant_task, steps

pytestmark = [pytest.mark.faults, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
TRIALS = 6


@dataclass
class Driver:
    """A sweep on Ray of its own, in a process of its own."""

    task: Path
    process: subprocess.Popen[str]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)

    def of_its_ray(self, name: str) -> psutil.Process:
        (process,) = [
            child
            for child in psutil.Process(self.process.pid).children(recursive=True)
            if child.name() == name
        ]
        return process

    def strike(self, victim: psutil.Process, how: signal.Signals) -> str:
        """Send a signal to a process of Ray; return what the driver has said when it has ended."""
        name, began = victim.name(), time.monotonic()
        victim.send_signal(how)
        output, _ = self.process.communicate()
        tell(f"{name}: {how.name}: until the sweep has ended", time.monotonic() - began)
        return output

    @property
    def records(self) -> list[Record]:
        return RunFolder(self.task / "run").read_records()


def drive(task: Path, *options: str) -> Driver:
    command = [sys.executable, "-m", "tests.search.drive", "run", str(task / "sweep.yaml")]
    process = subprocess.Popen(
        [*command, "--folder", str(task / "run"), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Driver(task, process)


def plant(folder: Path) -> Path:
    return plant_sweep(folder, seconds=2.0, concurrent=2, search__trials_per_method=TRIALS, final__seeds=1)


def ended_in_words(driver: Driver, output: str, why: str) -> None:
    assert driver.process.returncode == 1, output
    assert "Traceback" not in output
    error, remedy = output.rstrip().splitlines()[-2:]
    assert error == f"Error: Ray is lost: {why}. No trial is charged with it."
    assert remedy == f"Go on with: tuneoff resume {driver.task / 'run'}"


def nobody_is_blamed(records: list[Record]) -> None:
    assert {record.status for record in records} <= {"completed", "stopped", "running"}
    assert {(record.failures, record.preemptions) for record in records} == {(0, 0)}


RAYLET = "its raylet on this machine was killed, or hangs"
HEAD = "its head (GCS) has not answered for 40 s"


@pytest.mark.parametrize(
    ("name", "how", "why"),
    [
        ("raylet", signal.SIGKILL, RAYLET),
        ("raylet", signal.SIGSTOP, RAYLET),
        ("gcs_server", signal.SIGKILL, HEAD),
        ("gcs_server", signal.SIGSTOP, HEAD),
    ],
)
def test_a_sweep_whose_own_ray_is_lost_in_the_search_ends_and_goes_on(tmp_path, cluster, name, how, why):
    driver = drive(plant(tmp_path))
    driver.wait_for(lambda: len(steps(tmp_path)) >= 3)
    ended_in_words(driver, driver.strike(driver.of_its_ray(name), how), why)
    nobody_is_blamed(driver.records)

    plant_task(tmp_path)  # from now on without waiting
    results = run(tmp_path / "sweep.yaml", tmp_path / "run", address=cluster, trainable=Replay)
    nobody_is_blamed(results.records)
    assert len(results.trials) == 2 * TRIALS
    trained = Counter((step["trial"], step["rung"]) for step in steps(tmp_path))
    assert sum(count - 1 for count in trained.values()) <= 2  # the rungs in progress


def test_a_joined_cluster_that_loses_the_drivers_raylet_ends_the_sweep(tmp_path):
    with started(num_cpus=2) as cluster:
        driver = drive(plant(tmp_path), "--address", cluster.address)
        driver.wait_for(lambda: len(steps(tmp_path)) >= 3)
        (raylet,) = cluster.head_node.all_processes["raylet"]
        ended_in_words(driver, driver.strike(psutil.Process(raylet.process.pid), signal.SIGKILL), RAYLET)
    nobody_is_blamed(driver.records)


def test_a_raylet_that_is_killed_in_the_gates_fails_no_method(tmp_path):
    task = plant(tmp_path)
    failures = {f"checks/{method}": ("awaits", 9) for method in ("full", "lora")}
    driver = drive(plant_task(task, failures=failures))
    driver.wait_for(lambda: len(asked_about(task)) == 2)
    ended_in_words(driver, driver.strike(driver.of_its_ray("raylet"), signal.SIGKILL), RAYLET)
    assert RunFolder(task / "run").read_preflight().methods == {}
