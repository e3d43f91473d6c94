"""Sweeps that run on Ray from their first trial to their report, with learning curves for training."""

import json
import re
import shutil
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState

from search.cluster import SweepFailed
from search.engine.runner import run
from search.records.events import Event
from search.records.record import Record, Stop
from search.records.results import Results
from tests.search.journal import journal
from tests.search.replay import BASELINE_SCORE, RUNGS, Replay, curve, luck, plant_task, steps, sweep
from trainables.errors import InputError

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]

FAILURES = {
    "full/0000": ("dies once", 1),
    "lora/0000": ("raises once", 1),
    "full/0001": ("cannot begin", 0),
    "lora/0001": ("diverges", 0),
    "full/0002": ("has no score", 0),
    "lora/0002": ("runs out of memory", 0),
}
TRIALS = 6
EXTENDED = {"full": {}, "lora": {}, "attention": {"base": "lora", "fix": {"targets": "attention"}}}


@dataclass
class Swept:
    """A sweep that has run, with all that was told of it."""

    root: Path
    address: str
    results: Results | None = None
    events: list[tuple[Event, Record]] = field(default_factory=list)

    def run(self, **changes: Any) -> "Swept":
        self.events.clear()
        self.results = run(
            sweep(self.root, **changes),
            self.root / "run",
            address=self.address,
            listeners=[lambda event, record: self.events.append((event, record))],
            trainable=Replay,
        )
        return self

    @property
    def records(self) -> dict[str, Record]:
        assert self.results is not None
        return {record.id: record for record in self.results.records}

    def files(self) -> dict[Path, bytes]:
        """The records as they are on disk, by their paths."""
        paths = [*self.root.glob("run/trials/*/*.json"), *self.root.glob("run/final/*/*/record.json")]
        return {path: path.read_bytes() for path in paths}

    def events_of(self, trial: str) -> list[str]:
        return [event for event, record in self.events if record.id == trial]


@pytest.fixture(scope="module")
def swept(tmp_path_factory, cluster) -> Swept:
    """Two methods of six trials each, which meet with every failure that is known."""
    task = plant_task(tmp_path_factory.mktemp("swept"), seconds=0.05, failures=FAILURES)
    return Swept(task, cluster).run(search__trials_per_method=TRIALS)


def search(swept: Swept) -> list[Record]:
    return [record for record in swept.records.values() if record.phase == "search"]


def test_each_method_has_its_trials_and_they_begin_in_turn(swept):
    assert swept.records.keys() >= {f"{method}/{n:04d}" for method in ("full", "lora") for n in range(TRIALS)}
    assert len(search(swept)) == 2 * TRIALS
    first = list(dict.fromkeys(r.id for e, r in swept.events if e == "begin" and r.phase == "search"))
    numbers = [int(trial[-4:]) for trial in first]  # two run at a time, so neighbours may swap
    assert all(later - earlier >= -1 for earlier, later in pairwise(numbers))


def test_records_hold_what_the_workers_reported(swept):
    checked = 0
    for record in search(swept):
        for rung in record.rungs:
            if rung.score is not None:
                assert rung.score == curve(record.method, record.hyperparameters, RUNGS[rung.rung])
                assert rung.scores == {"rougeL": rung.score}
                checked += 1
            assert rung.examples == RUNGS[rung.rung]
            assert rung.cost == {"train_seconds": rung.rung + 1, "evaluation_seconds": 0.5}
    assert checked >= 10


def test_every_trial_has_ended_and_says_how(swept):
    for record in search(swept):
        assert record.status != "running"
        assert record.ended >= record.started
        assert (record.status == "completed") == (len(record.rungs) == 3)
        assert (record.status == "stopped") == (record.stop is not None)
    statuses = {record.status for record in search(swept)}
    assert statuses == {"completed", "stopped", "diverged", "out_of_memory", "failed"}


def test_a_stopped_trial_was_not_better_than_its_cut_off(swept):
    stops = [(r, r.stop) for r in search(swept) if r.stop is not None and r.stop.value is not None]
    assert stops
    for record, stop in stops:
        assert stop.rung == len(record.rungs) - 1
        assert stop.value == record.rungs[-1].score
        assert stop.value <= stop.cut_off


def test_a_worker_that_dies_is_replaced_and_trains_no_rung_again(swept):
    record = swept.records["full/0000"]
    assert (record.status, record.failures, len(record.rungs)) == ("completed", 1, 3)
    assert [step["rung"] for step in steps(swept.root) if step["trial"] == "full/0000"] == [0, 1, 2]
    assert len({step["pid"] for step in steps(swept.root) if step["trial"] == "full/0000"}) == 2
    assert swept.events_of("full/0000") == ["begin", "rung", "retry", "begin", "rung", "rung"]


def test_a_trial_that_raises_once_is_retried_and_completes(swept):
    record = swept.records["lora/0000"]
    assert (record.status, record.failures, record.error) == ("completed", 1, None)
    assert [step["rung"] for step in steps(swept.root) if step["trial"] == "lora/0000"] == [0, 1, 2]


def test_a_trial_that_always_raises_fails_with_its_traceback_after_two_retries(swept):
    record = swept.records["full/0001"]
    assert (record.status, record.failures, record.rungs) == ("failed", 2, [])
    assert re.search(r'File ".*replay.py", line \d+, in ', record.error)
    assert record.error.endswith("RuntimeError: full/0001 cannot begin")
    assert "\x1b" not in record.error
    assert swept.events_of("full/0001") == ["begin", "retry", "begin", "retry", "begin", "failed"]


def test_a_trial_that_diverges_or_has_no_score_says_so(swept):
    diverged, unscored = swept.records["lora/0001"], swept.records["full/0002"]
    assert (diverged.status, diverged.error) == ("diverged", "the training loss was nan")
    assert (unscored.status, unscored.stop) == ("stopped", Stop(rung=0, value=None, cut_off=None))


def test_a_trial_that_runs_out_of_memory_ends_with_its_numbers_and_is_not_tried_again(swept):
    record = swept.records["lora/0002"]
    assert (record.status, record.failures, record.stop) == ("out_of_memory", 0, None)
    assert record.error == "Out of memory: requested 8 bytes"
    assert swept.events_of("lora/0002") == ["begin", "rung"]


def test_the_studies_say_what_the_records_say(swept):
    ends = {"completed": TrialState.COMPLETE, "failed": TrialState.FAIL}
    storage = journal(swept.root / "run/study.log")
    for method in ("full", "lora"):
        trials = optuna.load_study(study_name=f"replayed/{method}", storage=storage).trials
        assert len(trials) == TRIALS
        for number, trial in enumerate(trials):
            record = swept.records[f"{method}/{number:04d}"]
            assert trial.state == ends.get(record.status, TrialState.PRUNED)
            assert trial.params == {name: record.hyperparameters[name] for name in trial.params}
            scores = {RUNGS[rung.rung]: rung.score for rung in record.rungs if rung.score is not None}
            assert trial.intermediate_values == scores
            assert trial.constraints == ({"out_of_memory": 1.0} if record.status == "out_of_memory" else {})


def test_the_final_retrains_each_winner_for_each_seed_and_scores_the_baseline(swept):
    finals = {record.id: record for record in swept.records.values() if record.phase == "final"}
    runs = {f"{method}/seed-{seed}" for method in ("full", "lora") for seed in (0, 1)}
    assert finals.keys() == {"baseline/seed-0", *runs}
    assert finals["baseline/seed-0"].score == BASELINE_SCORE
    for run_id in runs:
        record = finals[run_id]
        completed = [r for r in search(swept) if r.method == record.method and r.status == "completed"]
        best = max(completed, key=lambda candidate: candidate.score)
        assert (record.status, record.of_trial) == ("completed", best.id)
        assert record.hyperparameters == best.hyperparameters
        assert [rung.score for rung in record.rungs] == [None, None, best.score + luck(record.seed)]
    assert len({record.seed for record in finals.values()}) == 5


def test_only_the_best_checkpoint_of_each_method_is_left(swept):
    left = {
        file.parent.relative_to(swept.root / "run/checkpoints") for file in swept.root.rglob("reports.json")
    }
    winners = {record.of_trial for record in swept.records.values() if record.phase == "final"} - {None}
    assert left == {Path("search") / winner for winner in winners}


def test_workers_serve_many_trials_and_never_more_than_two_at_a_time(swept):
    log = steps(swept.root)
    # two for each phase, and one for each failure
    assert len({step["pid"] for step in log}) <= 2 + 2 + sum(
        r.failures + 1 for r in swept.records.values() if r.failures
    )
    times = sorted([(step["began"], 1) for step in log] + [(step["ended"], -1) for step in log])
    running = [sum(change for _, change in times[: place + 1]) for place in range(len(times))]
    assert max(running) <= 2


def test_the_report_has_a_row_a_method_and_the_baseline(swept):
    methods = pd.read_csv(swept.root / "run/report/methods.csv")
    assert set(methods["method"]) == {"full", "lora", "baseline"}
    assert len(pd.read_csv(swept.root / "run/report/trials.csv")) == 2 * TRIALS
    assert "full/0001 cannot begin" in (swept.root / "run/report/report.md").read_text()


def test_a_trial_that_asks_for_a_gpu_where_there_is_none_is_told_before_it_begins(tmp_path, cluster):
    with pytest.raises(InputError, match="asks for 1 GPUs, but there are 0 here"):
        Swept(plant_task(tmp_path), cluster).run(resources={"gpus_per_trial": 1.0})
    assert list(tmp_path.glob("run/trials/*")) == []


@pytest.mark.slow
def test_one_trial_at_a_time_where_the_sweep_says_so(tmp_path, cluster):
    search = {"trials_per_method": 2, "sampler": "tpe"}
    changes = {"methods": {"full": {}}, "search": search, "final__seeds": 1}
    task = plant_task(tmp_path, seconds=0.05)
    swept = Swept(task, cluster).run(resources={"concurrent_trials": 1}, **changes)
    log = sorted(steps(task), key=lambda step: step["began"])
    assert len(log) == len({(step["trial"], step["rung"]) for step in log}) >= 3 + 1 + 1 + 3
    assert all(later["began"] >= earlier["ended"] for earlier, later in pairwise(log))
    assert {record.status for record in swept.records.values()} <= {"completed", "stopped"}


# From here on the sweep of this module goes on: these tests stand in this order.


def test_running_again_does_nothing(swept):
    before = {path: path.stat().st_mtime_ns for path in swept.files()}
    trained = len(steps(swept.root))
    assert swept.run(search__trials_per_method=TRIALS).events == []
    assert {path: path.stat().st_mtime_ns for path in swept.files()} == before
    assert len(steps(swept.root)) == trained


def test_more_trials_seeds_and_methods_extend_a_sweep_and_keep_what_it_has(swept):
    before, trained = swept.files(), len(steps(swept.root))
    swept.run(methods=EXTENDED, search__trials_per_method=TRIALS + 1, final__seeds=3)
    after = swept.files()
    changed = [path for path in before if after[path] != before[path]]
    former = [path for path in changed if "final" in path.parts]
    assert changed == former  # runs of a winner that was beaten
    assert all(json.loads(before[path])["of_trial"] != json.loads(after[path])["of_trial"] for path in former)
    new = {json.loads(after[path])["id"] for path in after.keys() - before.keys()}
    assert new == {
        "full/0006",
        "lora/0006",
        *(f"attention/{number:04d}" for number in range(TRIALS + 1)),
        *(f"{method}/seed-2" for method in ("full", "lora", "attention")),
        *(f"attention/seed-{seed}" for seed in (0, 1)),
    }
    assert swept.records["attention/0003"].hyperparameters["targets"] == "attention"
    worked = {step["trial"] for step in steps(swept.root)[trained:]}
    assert worked == new | {json.loads(after[path])["id"] for path in former}


def test_data_that_changed_is_refused(swept):
    (swept.root / "test.jsonl").write_text(json.dumps({"dialogue": "new", "summary": "new"}) + "\n")
    with pytest.raises(InputError, match=r"The data of .* has changed since the sweep began"):
        swept.run(methods=EXTENDED, search__trials_per_method=TRIALS + 1, final__seeds=3)


def test_a_run_folder_that_is_removed_ends_its_sweep(cluster: str, tmp_path: Path) -> None:
    """Made anew file by file it would be half a folder, that no resume can read."""
    folder = tmp_path / "run"

    def remove(event: Event, record: Record) -> None:
        if event == "rung":
            shutil.rmtree(folder)

    settings = sweep(plant_task(tmp_path))
    with pytest.raises(SweepFailed, match=f"The run folder {folder} was removed while its sweep ran"):
        run(settings, folder, address=cluster, listeners=[remove], trainable=Replay)
    assert not (folder / "sweep.yaml").exists()
