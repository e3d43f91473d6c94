"""What a trial reports is decided on once, and recorded alike whoever hears of it first."""

from pathlib import Path
from typing import Any

import pytest

from search.config.resources import Resources
from search.engine.recorder import Halt, Recorder
from tests.search.driven import NARROW, Driven, cost
from tests.search.replay import RUNGS, curve, sweep
from tests.search.tuned import TuneTrial
from trainables.rung_report import RungReport
from trainables.trainable import tune_result

SEARCH = {"trials_per_method": 9, "sampler": "random", "study_storage": "sqlite://"}


class Heard:
    """A search whose reports reach the scheduler and the recorder in this order or in the other one."""

    def __init__(self, root: Path, order: list[str], **search: Any) -> None:
        settings = sweep(root, methods=NARROW, search=SEARCH | search)
        self.driven = Driven(root / "run", settings)
        self.store = self.driven.store
        self.scheduler = self.driven.scheduler
        self.recorder = Recorder(
            self.store, self.driven.search, Resources(), Halt(lambda: None), [], self.scheduler
        )
        self.order = order
        self.decisions: list[tuple[str, int, str]] = []

    def run(self) -> "Heard":
        while record := self.driven.begin():
            for rung in range(len(RUNGS)):
                if self.store.records[record.id].status == "running":
                    self.hear(record.id, rung)
            self.driven.search.on_trial_complete("tune's own id")
        return self

    def hear(self, name: str, rung: int) -> None:
        record = self.store.records[name]
        report = RungReport(
            rung=rung,
            examples=RUNGS[rung],
            score=curve(record.method, record.hyperparameters, RUNGS[rung]),
            cost={"train_seconds": cost(record.hyperparameters, RUNGS[rung])},
            status="completed" if rung == len(RUNGS) - 1 else "running",
        )
        trial, result = TuneTrial({"assignment": {"trial": name}}), tune_result(report)
        for listener in self.order:
            if listener == "recorder":
                self.recorder.on_trial_result(1, [], trial, result)
            elif not result["done"]:  # of a trial that has ended by itself Tune asks nothing
                self.decisions.append((name, rung, self.scheduler.on_trial_result(None, trial, result)))

    def recorded(self) -> dict[str, Any]:
        times = {"started", "ended"}
        return {name: record.model_dump(exclude=times) for name, record in self.store.records.items()}


@pytest.mark.parametrize("objectives", [{}, {"objectives": ["rougeL", {"cost": "train_seconds"}]}])
def test_a_stop_is_recorded_alike_in_either_order(tmp_path, objectives):
    orders = [["scheduler", "recorder"], ["recorder", "scheduler"]]
    first, second = (Heard(tmp_path / order[0], order, **objectives).run() for order in orders)
    assert second.decisions == first.decisions
    assert second.recorded() == first.recorded()
    statuses = {record["status"] for record in first.recorded().values()}
    assert statuses == {"completed", "stopped"}
    stopped = {(r.id, r.stop.rung) for r in first.store.records.values() if r.stop}
    assert {(name, rung) for name, rung, word in first.decisions if word == "STOP"} == stopped


@pytest.mark.parametrize("order", [["scheduler", "recorder"], ["recorder", "scheduler"]])
def test_a_rung_that_is_reported_again_is_neither_decided_nor_recorded_again(tmp_path, order):
    heard = Heard(tmp_path, order)
    early, *others = [heard.driven.begin().id for _ in range(12)]
    heard.hear(early, 0)
    for name in others:
        heard.hear(name, 0)
    before = heard.recorded()
    heard.hear(early, 0)
    assert heard.decisions[-1] == (early, 0, "CONTINUE")
    assert heard.recorded() == before


def out_of_memory(heard: Heard, name: str) -> None:
    report = RungReport(rung=0, examples=3, score=None, status="out_of_memory", message="Out of memory.")
    heard.recorder.on_trial_result(1, [], TuneTrial({"assignment": {"trial": name}}), tune_result(report))
    heard.driven.search.on_trial_complete("tune's own id")


def test_out_of_memory_beside_others_is_no_result_before_it_is_one_alone(tmp_path):
    heard = Heard(tmp_path, ["scheduler", "recorder"])
    heard.driven.search.shares_gpus = True
    name = heard.driven.begin().id
    out_of_memory(heard, name)
    record = heard.store.records[name]
    assert (record.status, record.whole_gpu, record.rungs, record.failures) == ("running", True, [], 0)
    assert heard.driven.begin().id != name
    heard.driven.restart()  # as each experiment begins, and each start
    queue = heard.driven.search
    assert [record.id for record in queue.held_back] == [name]
    assert heard.driven.begin().id != name
    queue.release_held_back()
    assert heard.driven.begin().id == name
    again = Heard(tmp_path, ["scheduler", "recorder"])
    out_of_memory(again, name)
    record = again.store.records[name]
    assert (record.status, record.whole_gpu, record.error) == ("out_of_memory", True, "Out of memory.")
