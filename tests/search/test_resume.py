"""A sweep that is interrupted in every way, at random moments, and taken up again until it is done."""

import random
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
from tests.search.replay import Replay, plant_sweep, steps

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
METHODS = {"full": {}, "lora": {}}
TRIALS, SEEDS, CONCURRENT = 5, 2, 2
STEP_SECONDS = 0.05
MOST_STEPS = 5
"""A process is interrupted after 1 to so many rungs, which it may be sending, writing or deciding upon."""


@dataclass
class Interrupted:
    """A sweep whose processes were ended by signals, but for the last; what each printed and returned."""

    task: Path
    options: list[str]
    random: random.Random
    outputs: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.task / "run"

    def start(self, how: signal.Signals | None) -> None:
        """Go on with the sweep, to its end or until it is ended by the signal."""
        command = ["resume", str(self.folder)] if self.codes else ["run", str(self.task / "sweep.yaml")]
        folder = [] if self.codes else ["--folder", str(self.folder)]
        output = self.task / f"output-{len(self.codes)}.txt"
        with output.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.search.drive", *command, *folder, *self.options],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                if how is not None:
                    self._wait_for_a_moment(process)
                    process.send_signal(how)
                self.codes.append(process.wait())
            finally:
                process.kill()
        self.outputs.append(output.read_text())

    def _wait_for_a_moment(self, process: subprocess.Popen[bytes]) -> None:
        count = len(steps(self.task)) + self.random.randint(1, MOST_STEPS)
        while len(steps(self.task)) < count and process.poll() is None:
            time.sleep(0.005)
        time.sleep(self.random.uniform(0, 2 * STEP_SECONDS))

    @property
    def results(self) -> Results:
        return load_results(self.folder)


def plant(folder: Path, scheduler: str = "asha") -> Path:
    return plant_sweep(
        folder,
        seconds=STEP_SECONDS,
        concurrent=CONCURRENT,
        methods=METHODS,
        search__trials_per_method=TRIALS,
        search__scheduler=scheduler,
    )


INTERRUPT, TERMINATE, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGKILL
ON_THE_CLUSTER = [INTERRUPT, KILL, TERMINATE]
ON_THIS_MACHINE = [KILL, INTERRUPT, KILL, KILL, TERMINATE, KILL]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((ON_THE_CLUSTER, "asha"), id="cluster"),
        pytest.param((ON_THIS_MACHINE, "asha"), id="local"),
        pytest.param((ON_THE_CLUSTER, "promote"), id="promoted"),
    ],
)
def interrupted(request, tmp_path_factory, cluster) -> Interrupted:
    """The signals that `request` names, one a process, then a process that is left alone."""
    hows, scheduler = request.param
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 (pytest shows it with a failure)
    options = ["--address", cluster] if hows is ON_THE_CLUSTER else []
    task = plant(tmp_path_factory.mktemp("interrupted"), scheduler)
    sweep = Interrupted(task, options, random.Random(seed))
    for how in [*hows, None]:
        sweep.start(how)
    return sweep


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, cluster) -> Results:
    """The same sweep in one go."""
    task = plant(tmp_path_factory.mktemp("undisturbed"))
    return run(task / "sweep.yaml", task / "run", address=cluster, trainable=Replay)


def test_ctrl_c_and_sigterm_return_what_a_shell_expects_and_the_last_run_succeeds(interrupted):
    expected = {INTERRUPT: 130, TERMINATE: 143, KILL: -9}
    hows = ON_THE_CLUSTER if interrupted.options else ON_THIS_MACHINE
    assert interrupted.codes == [*(expected[how] for how in hows), 0]


def test_ctrl_c_and_sigterm_say_in_one_line_how_to_go_on(interrupted):
    for code, output in zip(interrupted.codes, interrupted.outputs, strict=True):
        assert "Traceback" not in output
        if code in (130, 143):
            line = (
                f"Interrupted; every finished rung is kept. Go on with: tuneoff resume {interrupted.folder}"
            )
            assert output.rstrip().splitlines()[-1] == line


def test_the_records_are_those_that_were_planned_and_all_have_ended(interrupted):
    trials = {f"{method}/{number:04d}" for method in METHODS for number in range(TRIALS)}
    finals = {f"{method}/seed-{seed}" for method in METHODS for seed in range(SEEDS)}
    records = {record.id: record for record in interrupted.results.records}
    assert records.keys() == {"baseline/seed-0", *trials, *finals}
    for record in records.values():
        assert record.status in ("completed", "stopped")
        assert [rung.rung for rung in record.rungs] == list(range(len(record.rungs)))
        assert (record.status == "completed") == (len(record.rungs) == 3 or record.method == "baseline")


def test_a_rung_is_trained_again_only_if_the_signal_hit_it(interrupted):
    trained = Counter((step["trial"], step["rung"]) for step in steps(interrupted.task))
    again = {rung: count - 1 for rung, count in trained.items() if count > 1}
    interruptions = len(interrupted.codes) - 1
    assert sum(again.values()) <= CONCURRENT * interruptions
    told = {(record.id, rung.rung) for record in interrupted.results.records for rung in record.rungs}
    assert told <= trained.keys()
    # what was trained and never told: the rung at which its trial was hit, and then stopped
    assert len(trained.keys() - told) <= CONCURRENT * interruptions


def test_no_hyperparameters_are_suggested_twice(interrupted):
    for method in METHODS:
        points = {tuple(r.hyperparameters.items()) for r in interrupted.results.search(method)}
        assert len(points) == TRIALS


def test_the_proposals_are_those_of_an_undisturbed_sweep(interrupted, undisturbed):
    for method in METHODS:
        for record, other in zip(interrupted.results.search(method), undisturbed.search(method), strict=True):
            assert (record.id, record.hyperparameters) == (other.id, other.hyperparameters)
            assert (record.seed, record.origin) == (other.seed, other.origin)


def test_the_final_is_that_of_an_undisturbed_sweep(interrupted, undisturbed):
    """The best curve of a method is the best at every rung, so no order of reports stops it."""
    tables = [
        (results.folder.report / "methods.csv").read_text() for results in (interrupted.results, undisturbed)
    ]
    assert tables[0] == tables[1]
    assert "," in tables[0]


def test_the_best_trials_keep_their_checkpoints(interrupted):
    winners = {record.of_trial for record in interrupted.results.records if record.origin == "winner"}
    files = (interrupted.folder / "checkpoints/search").rglob("reports.json")
    left = {f"{file.parts[-3]}/{file.parts[-2]}" for file in files}
    assert left >= winners
    # a process that is killed between a record and the loser's checkpoint leaves it behind
    assert len(left) <= len(METHODS) + len(interrupted.codes) - 1
