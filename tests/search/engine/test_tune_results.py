"""What Ray Tune itself hands on of a result: it flattens the result, and leaves the report in it alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.result import AUTO_RESULT_KEYS
from ray.tune.schedulers import FIFOScheduler

from search.cluster.connection import connected
from search.engine.searcher import RecordQueue
from search.records.plan import Plan
from search.records.record import Record
from search.records.run_folder import RunFolder
from search.records.trial_store import TrialStore
from tests.search.replay import RUNGS, Replay, plant_task, sweep
from tests.search.tuned import flat
from trainables.assignment import Assignment
from trainables.rung_report import RungReport

pytestmark = [pytest.mark.ray, pytest.mark.timeout(240)]

Told = list[dict[str, Any]]


class Scheduler(FIFOScheduler):
    def __init__(self) -> None:
        super().__init__()
        self.results: Told = []
        self.last: Told = []

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        self.results.append(dict(result))
        return super().on_trial_result(tune_controller, trial, result)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        self.last.append(dict(result))


class Searcher(RecordQueue):
    results: Told
    last: Told

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        self.results.append(dict(result))

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        super().on_trial_complete(trial_id, result, error)
        assert result is not None
        self.last.append(dict(result))


class Callback(tune.Callback):
    def __init__(self) -> None:
        self.results: Told = []

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        self.results.append(dict(result))


class Heard:
    """One trial run by Tune itself, and what each of its listeners was told of it."""

    def __init__(self, assignment: Assignment, searcher: Searcher, folder: str) -> None:
        self.scheduler, self.searcher, self.callback = Scheduler(), searcher, Callback()
        searcher.results, searcher.last = [], []
        tune.Tuner(
            Replay,
            tune_config=tune.TuneConfig(search_alg=searcher, scheduler=self.scheduler, num_samples=-1),
            run_config=tune.RunConfig(
                name="experiment",
                storage_path=folder,
                callbacks=[self.callback],
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        ).fit()
        kept = json.loads((Path(assignment.checkpoints) / "reports.json").read_text())
        self.reports = [RungReport.model_validate(report) for report in kept]


@pytest.fixture(scope="module")
def heard(tmp_path_factory, cluster) -> Heard:
    root = tmp_path_factory.mktemp("heard")
    plan = Plan(sweep(plant_task(root)), RunFolder(root / "run"), "fingerprint", RUNGS)
    record = Record(
        id="full/0000",
        method="full",
        number=0,
        phase="search",
        split="validation",
        origin="default",
        hyperparameters={"learning_rate": 1e-4},
        seed=0,
        started="",
    )
    store = TrialStore(plan.folder)
    with connected(cluster):
        return Heard(plan.assignment(record), Searcher(plan, store, [record]), str(root / "tune"))


def ours(result: dict[str, Any]) -> dict[str, Any]:
    """Without what Tune adds: its clock, its place, the whole configuration."""
    added = {*AUTO_RESULT_KEYS, "trial_id", "experiment_tag"}
    return {key: value for key, value in result.items() if key.partition("/")[0] not in added}


def test_a_scheduler_and_a_searcher_hear_what_the_fake_says(heard):
    told = [flat(report) for report in heard.reports]
    assert len(told) == len(RUNGS)
    assert told[0] == {"report": heard.reports[0], "done": False}
    for listener in (heard.scheduler, heard.searcher):
        # a result that ends its trial is told at its completion
        assert [ours(result) for result in listener.results] == told[:-1]
        assert [ours(result) for result in listener.last] == told[-1:]


def test_a_callback_hears_the_same_objects(heard):
    told = [result["report"] for result in heard.callback.results]
    assert told == heard.reports
    assert {type(report) for report in told} == {RungReport}
    decided_on = [result["report"] for result in [*heard.scheduler.results, *heard.scheduler.last]]
    assert all(one is other for one, other in zip(told[:-1], decided_on[:-1], strict=True))
