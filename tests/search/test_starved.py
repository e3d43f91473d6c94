"""A trial that the operating system refuses memory, from the training step to the sampler."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from optuna.trial import TrialState

import spaces
from search.config.sweep import Sweep
from search.engine.searcher import MethodSearch
from search.records.plan import Plan
from search.records.run_folder import RunFolder
from search.records.trial_store import TrialStore
from search.schedulers import scheduler_of
from search.studies.study import rebuild
from trainables.data import load
from trainables.rung_report import RungReport
from trainables.task import Task

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
BATCH = 16
MB = 1_000_000


@pytest.fixture(scope="module")
def task(model_folder, data_files, corpus, tmp_path_factory) -> Task:
    """Dialogues of 350 tokens: what a step holds grows with their square, and dwarfs the model."""
    folder = tmp_path_factory.mktemp("long")
    rows = [row | {"dialogue": row["dialogue"] + " Where can it be?" * 60} for row in corpus["train"]]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Task(
        model=model_folder("t5", 0.1, False),
        data=data_files | {"train": str(folder / "train.jsonl")},
        source="dialogue",
        target="summary",
        prompt="{dialogue}\n",
        max_source_tokens=350,
        max_target_tokens=8,
        precision="fp32",
    )


@pytest.fixture(scope="module")
def plan(task, tmp_path_factory) -> Plan:
    sweep = Sweep.model_validate(
        {
            "name": "starved",
            "task": task.model_dump(),
            "methods": {"lora": {"space": {"batch_size": [8, BATCH]}}},
            "search": {"trials_per_method": 4, "validation_samples": 1},
        }
    )
    root = tmp_path_factory.mktemp("run")
    return Plan(sweep, RunFolder(root), load(task, sweep.seed).fingerprint, [BATCH])


@pytest.fixture(scope="module")
def record(plan):
    """A trial that the search proposed, entered in the trial store."""
    store = TrialStore(plan.folder)
    studies, scheduler = rebuild(plan.sweep, store, plan.rungs), scheduler_of(plan.sweep, store)
    search = MethodSearch(plan, store, studies, scheduler)
    trial = search.suggest("tune's own id")["assignment"]["trial"]
    large = {**spaces.get("lora").default, "batch_size": BATCH}
    record = store.records[trial].model_copy(update={"hyperparameters": large})
    store.replace(record)
    return record


@pytest.fixture(scope="module")
def told(plan, record):
    """What such a trial reports with less and less memory, by `tests.trainables.starved`."""
    assignment = plan.assignment(record)
    ran = subprocess.run(
        [sys.executable, "-m", "tests.trainables.starved", assignment.model_dump_json()],
        cwd=ROOT,
        # Large blocks go back to the system as soon as they are free.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "100000", "MALLOC_ARENA_MAX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the address space is limited as Linux does")
class TestStarved:
    def test_with_room_for_half_a_batch_a_trial_goes_on_in_halves(self, told):
        halved = told["halved"]
        assert (halved["status"], halved["message"]) == ("completed", None)
        assert halved["examples"] == BATCH
        assert halved["cost"]["micro_batch_examples"] == BATCH // 2
        assert halved["train_loss"] > 0

    def test_with_less_it_ends_with_the_numbers(self, told):
        starved = told["starved"]
        assert (starved["status"], starved["examples"], starved["score"]) == ("out_of_memory", 0, None)
        requested, peak, limit = (
            int(number.replace(",", "")) for number in re.findall(r"([\d,]+) bytes", starved["message"])
        )
        assert 0 < requested < told["needs"]["1"]
        assert peak <= told["needs"]["2"]
        assert peak < limit
        assert starved["message"].endswith(
            f"micro-batch {BATCH // 2} examples, evaluation batches in 1 parts, halved once."
        )

    def test_its_memory_is_free_again_and_the_next_trial_has_it(self, told):
        assert told["needs"]["2"] > 50 * MB
        assert told["left"] < 20 * MB
        assert told["small"]["status"] == "completed"

    def test_the_trial_store_and_the_sampler_learn_of_it_also_from_the_records_alone(
        self, plan, record, told
    ):
        store = TrialStore(plan.folder)
        studies = rebuild(plan.sweep, store, plan.rungs)
        ended = store.report(record.id, RungReport.model_validate(told["starved"]))
        studies["lora"].tell(ended)
        assert (ended.status, ended.error) == ("out_of_memory", told["starved"]["message"])
        again = rebuild(plan.sweep, TrialStore(plan.folder), plan.rungs)
        for study in (studies["lora"].study, again["lora"].study):
            (trial,) = study.trials
            assert (trial.state, trial.constraints) == (TrialState.PRUNED, {"out_of_memory": 1.0})
            assert trial.params["batch_size"] == BATCH
