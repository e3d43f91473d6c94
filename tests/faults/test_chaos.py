"""A hundred short trials on three machines, of which one after the other is lost at random."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from search.engine.runner import run
from search.records.results import Results, load_results, winner
from tests.faults.machines import Machines, machines
from tests.faults.measure import tell
from tests.search.replay import Replay, plant_task, steps, sweep
from trainables.storage.atomic import write_text

pytestmark = [pytest.mark.faults, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
METHODS = ("full", "lora")
TRIALS = 50
STEP_SECONDS = 0.3
RUNGS_BETWEEN = 8
SETTINGS = {"search": {"trials_per_method": TRIALS, "sampler": "random"}, "final": {"seeds": 2}}


class Chaos:
    """Again and again a machine is killed or reclaimed, and another joins; or a worker is killed.

    On a slow machine it waits until something was trained since, else nothing ever would be.
    """

    def __init__(self, task: Path, three: Machines, seed: int) -> None:
        self.task, self.three = task, three
        self.random = random.Random(seed)
        self.strokes: Counter[str] = Counter()

    def strike_while(self, sweep: subprocess.Popen[bytes]) -> None:
        while sweep.poll() is None:
            trained = len(steps(self.task))
            time.sleep(self.random.uniform(1, 4))
            while sweep.poll() is None and len(steps(self.task)) < trained + RUNGS_BETWEEN:
                time.sleep(0.05)
            if sweep.poll() is None:
                self.strike()

    def strike(self) -> None:
        how = self.random.choice(["kill", "reclaim", "kill_a_worker"])
        getattr(self.three, how)(self.random.choice(self.three.names))
        self.strokes[how] += 1
        self.three.add(3 - len(self.three.names))


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Path:
    task = plant_task(tmp_path_factory.mktemp("chaos"), seconds=STEP_SECONDS)
    write_text(task / "sweep.yaml", sweep(task, **SETTINGS).to_yaml())
    return task


@pytest.fixture(scope="module")
def survived(task) -> Results:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 (pytest shows it with a failure)
    command = [sys.executable, "-m", "tests.search.drive", "run", str(task / "sweep.yaml")]
    with machines(3) as three, (task / "output.txt").open("w") as output:
        chaos, began = Chaos(task, three, seed), time.monotonic()
        driver = subprocess.Popen(
            [*command, "--folder", str(task / "run"), "--address", three.address],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        chaos.strike_while(driver)
    assert driver.returncode == 0, (task / "output.txt").read_text()
    tell(f"chaos of {dict(chaos.strokes)}, from start to end", time.monotonic() - began)
    assert chaos.strokes.total() >= 5
    return load_results(task / "run")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, cluster) -> Results:
    """The same without waiting; what is reported depends on the hyperparameters alone."""
    quiet = plant_task(tmp_path_factory.mktemp("quiet"))
    return run(sweep(quiet, **SETTINGS), quiet / "run", address=cluster, trainable=Replay)


def test_there_are_exactly_a_hundred_trials_and_none_has_failed(survived):
    trials = [record for record in survived.records if record.phase == "search"]
    assert {r.id for r in trials} == {f"{method}/{n:04d}" for method in METHODS for n in range(TRIALS)}
    assert len(trials) == 100
    assert {r.status for r in survived.records} <= {"completed", "stopped"}


def test_every_stroke_is_counted_apart(survived):
    preemptions = sum(record.preemptions for record in survived.records)
    failures = sum(record.failures for record in survived.records)
    print(f"recovery: chaos: {preemptions} preemptions, {failures} failures")  # noqa: T201
    assert preemptions > 0
    assert max(record.failures for record in survived.records) <= 2


def test_a_rung_is_trained_again_only_for_a_worker_that_was_lost(survived, task):
    trained = Counter((step["trial"], step["rung"]) for step in steps(task))
    for record in survived.records:
        again = sum(count - 1 for (trial, _), count in trained.items() if trial == record.id)
        assert again <= record.preemptions + record.failures


def test_the_winners_are_those_of_an_undisturbed_sweep(survived, undisturbed):
    for method in METHODS:
        best, expected = winner(survived.search(method)), winner(undisturbed.search(method))
        assert (best.id, best.hyperparameters, best.score) == (
            expected.id,
            expected.hyperparameters,
            expected.score,
        )
    tables = [(each.folder.report / "methods.csv").read_text() for each in (survived, undisturbed)]
    assert tables[0] == tables[1]
