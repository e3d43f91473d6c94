"""One sweep through all that can befall its driver and its folder, one after the other."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from search.engine.runner import run
from search.records.results import Results, load_results
from tests.faults.measure import tell
from tests.search.replay import Replay, plant_sweep, steps

pytestmark = [pytest.mark.faults, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
METHODS = ("full", "lora")
TRIALS, CONCURRENT = 8, 2
STEP_SECONDS = 0.1
DRIVE = [sys.executable, "-m", "tests.search.drive"]


@dataclass
class Battered:
    """The sweep, and what each of its processes returned and printed, by the name of its fault."""

    task: Path
    cluster: str
    folder: Path
    codes: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)

    def start(self, **environment: str) -> subprocess.Popen[str]:
        command = ["resume", str(self.folder)] if (self.folder / "sweep.yaml").exists() else self.first
        return subprocess.Popen(
            [*DRIVE, *command, "--address", self.cluster],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @property
    def first(self) -> list[str]:
        return ["run", str(self.task / "sweep.yaml"), "--folder", str(self.folder)]

    def end(self, process: subprocess.Popen[str], fault: str) -> None:
        began = time.monotonic()
        self.outputs[fault], _ = process.communicate()
        self.codes[fault] = process.returncode
        tell(f"{fault}: until the process is gone", time.monotonic() - began)

    def go(self, fault: str, **environment: str) -> None:
        """A process that goes on until it is killed as its environment says, or to the end of the sweep."""
        self.end(self.start(**environment), fault)

    def signalled(self, fault: str, *signals: signal.Signals) -> None:
        """A process whose group, as that of a Ray job, is sent signals after two rungs more."""
        done, process, began = len(steps(self.task)), self.start(), time.time()
        self.wait_for(done + 2, process)
        tell(f"{fault}: from its start to its first rung", steps(self.task)[done]["began"] - began)
        for number in signals:
            os.killpg(process.pid, number)
            time.sleep(0.2)
        self.end(process, fault)

    def wait_for(self, count: int, process: subprocess.Popen[str]) -> None:
        while len(steps(self.task)) < count:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)

    @property
    def results(self) -> Results:
        return load_results(self.folder)


def plant(folder: Path) -> Path:
    return plant_sweep(
        folder,
        seconds=STEP_SECONDS,
        concurrent=CONCURRENT,
        search__trials_per_method=TRIALS,
        final__seeds=1,
    )


def damage(battered: Battered) -> str:
    """Move the folder, and spoil all in it that is no finished record but one; the trial of that one."""
    moved = battered.task / "moved" / "elsewhere"
    moved.parent.mkdir()
    shutil.move(battered.folder, moved)
    battered.folder = moved
    (moved / "study.log").write_bytes(b"no journal")
    shutil.rmtree(moved / "tune", ignore_errors=True)
    (moved / "tune").mkdir()
    (moved / "tune" / "experiment").write_text("no folder")
    for checkpoint in (moved / "checkpoints").rglob("reports.json"):
        checkpoint.write_text('[{"rung": 0, "exam')
    ended = [
        file for file in sorted(moved.glob("trials/*/[0-9]*.json")) if '"running"' not in file.read_text()
    ]
    ended[0].write_text(ended[0].read_text()[:100])
    return f"{ended[0].parent.name}/{ended[0].stem}"


@pytest.fixture(scope="module")
def battered(tmp_path_factory, cluster) -> Battered:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 (pytest shows it with a failure)
    chance = random.Random(seed)
    task = plant(tmp_path_factory.mktemp("battered"))
    battered = Battered(task, cluster, task / "run")
    battered.go("half a record", DIE_AT_RECORD=str(chance.randint(4, 8)))
    battered.go("a whole record", DIE_AT_RECORD=str(chance.randint(4, 8)), DIE_AFTER="1")
    held, done = battered.start(), len(steps(task))
    battered.wait_for(done + 1, held)
    os.killpg(held.pid, signal.SIGSTOP)  # stopped it holds the folder none the less
    battered.go("a second run")
    os.killpg(held.pid, signal.SIGCONT)
    os.killpg(held.pid, signal.SIGINT)
    os.killpg(held.pid, signal.SIGINT)
    battered.end(held, "Ctrl-C twice")
    battered.damaged = damage(battered)  # type: ignore[attr-defined]
    battered.signalled("SIGTERM to the group", signal.SIGTERM)
    battered.signalled("Ctrl-C twice, slowly", signal.SIGINT, signal.SIGINT)
    battered.go("none")
    return battered


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, cluster) -> Results:
    task = plant(tmp_path_factory.mktemp("undisturbed"))
    return run(task / "sweep.yaml", task / "run", address=cluster, trainable=Replay)


def test_each_process_ends_as_documented(battered):
    assert battered.codes == {
        "half a record": -9,
        "a whole record": -9,
        "a second run": 2,
        "Ctrl-C twice": 130,
        "SIGTERM to the group": 143,
        "Ctrl-C twice, slowly": 130,
        "none": 0,
    }


def test_whoever_is_interrupted_says_how_to_go_on_and_shows_no_traceback(battered):
    for fault in ("Ctrl-C twice", "SIGTERM to the group", "Ctrl-C twice, slowly"):
        assert "Traceback" not in battered.outputs[fault]
        line = battered.outputs[fault].rstrip().splitlines()[-1]
        assert line.startswith("Interrupted; every finished rung is kept. Go on with: tuneoff resume /")


def test_the_second_run_is_refused_by_name(battered):
    assert "Error: Another tuneoff process is running in" in battered.outputs["a second run"]
    assert ": process " in battered.outputs["a second run"]


def test_the_damaged_record_is_told_set_aside_and_run_again(battered):
    trial = battered.damaged
    output = battered.outputs["SIGTERM to the group"]
    file = battered.folder / f"trials/{trial}.json"
    assert f"The record {file} was damaged and is kept as {file.name}.damaged" in output
    assert len(file.with_name(f"{file.name}.damaged").read_text()) == 100
    record = next(record for record in battered.results.records if record.id == trial)
    assert record.status in ("completed", "stopped")
    assert any("Its record was damaged" in remark for remark in record.remarks)
    assert "Its record was damaged" in (battered.folder / "report" / "report.md").read_text()


def test_nothing_is_lost_and_the_result_is_that_of_an_undisturbed_sweep(battered, undisturbed):
    results = battered.results
    assert {r.id for r in results.records} == {r.id for r in undisturbed.records}
    assert {r.status for r in results.records} <= {"completed", "stopped"}
    points = [
        {r.id: (r.hyperparameters, r.seed, r.origin) for r in each.records} for each in (results, undisturbed)
    ]
    assert points[0] == points[1]
    tables = [(each.folder.report / "methods.csv").read_text() for each in (results, undisturbed)]
    assert tables[0] == tables[1]


def test_no_rung_is_trained_again_but_those_that_were_hit_or_damaged(battered):
    trained = Counter((step["trial"], step["rung"]) for step in steps(battered.task))
    spoilt = {battered.damaged}
    spoilt |= {r.id for r in battered.results.records if any("damaged" in remark for remark in r.remarks)}
    again = sum(count - 1 for (trial, _), count in trained.items() if trial not in spoilt)
    assert again <= CONCURRENT * (len(battered.codes) - 2)


def test_records_are_plain_json_to_the_end(battered):
    files = [*battered.folder.glob("trials/*/[0-9]*.json"), *battered.folder.glob("final/*/*/record.json")]
    assert len(files) == len(METHODS) * (TRIALS + 1) + 1
    assert all(json.loads(file.read_text())["failures"] == 0 for file in files)
