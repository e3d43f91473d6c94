"""Every type of task trains, and is scored by what its metrics make of the outputs."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from tests.tiny import PLACES
from tests.trainables.checks import ask, failed
from trainables import metrics, task_types
from trainables.assignment import Assignment
from trainables.data import load
from trainables.evaluation import evaluate
from trainables.loop import FineTuning
from trainables.task import Task
from trainables.trial import Trial
from trainables.workbench import Workbench

EVERY_KIND = pytest.mark.parametrize(
    "task_type",
    [
        "classification",
        *(pytest.param(k, marks=pytest.mark.slow) for k in task_types.available() if k != "classification"),
    ],
)


@pytest.fixture(scope="module")
def tables(make_task: Callable[..., Task], labelled: dict[str, str]) -> Callable[..., Workbench]:
    """`tables(task_type, family="t5")`: a workbench for a task of that type."""

    @cache
    def make(task_type: str, family: str = "t5") -> Workbench:
        metric = {} if task_types.get(task_type).score else {"metric": "chrf"}
        data = {"data": labelled} if task_type == "classification" else {}
        return Workbench(make_task(family, taught=True, type=task_type, **metric, **data), data_seed=0)

    return make


@EVERY_KIND
def test_a_split_is_scored_by_its_types_metrics(tables: Callable[..., Workbench], task_type: str) -> None:
    table = tables(task_type)
    evaluation = evaluate(table, table.base.model, "test", None)
    rows, task = evaluation.examples, table.task
    references = [list(texts) for texts in rows["references"]]
    columns = metrics.measure(
        task.scored_by, list(rows["prediction"]), references, task.rules(table.data.labels)
    )
    assert evaluation.scores == metrics.of_corpus(columns)
    assert task.metric in evaluation.scores
    for name, values in columns.items():
        assert list(rows[name]) == list(values)


@EVERY_KIND
def test_its_gates_can_be_passed(tables: Callable[..., Workbench], task_type: str) -> None:
    assert failed(ask(tables(task_type), "lora")) == []


@pytest.mark.parametrize("family", ["t5", "llama"])
def test_a_label_is_picked_and_none_is_written(tables: Callable[..., Workbench], family: str) -> None:
    table = tables("classification", family)
    evaluation = evaluate(table, table.base.model, "test", None)
    assert table.data.labels == tuple(sorted(PLACES))
    assert set(evaluation.examples["prediction"]) <= set(PLACES)
    assert evaluation.capped_share is None
    assert table.longest_output == max(map(len, table.base.encoder.targets(PLACES)))
    right = evaluation.examples["prediction"] == evaluation.examples["references"].str[0]
    assert evaluation.scores["accuracy"] == pytest.approx(100 * right.mean())


@pytest.mark.slow
def test_labels_are_learned(tables: Callable[..., Workbench], tune: Callable[..., FineTuning]) -> None:
    table = tables("classification")
    before = evaluate(table, table.base.model, "train", None).scores["accuracy"]
    tuning = tune(table, "full", examples=1200, learning_rate=3e-3)
    tuning.advance(1200)
    after = tuning.evaluate("train")
    assert after.scores["accuracy"] > before + 15
    assert after.scores["macro_f1"] > 20


@pytest.mark.parametrize("task_type", ["translation", pytest.param("classification", marks=pytest.mark.slow)])
def test_what_a_final_keeps_holds_the_statistics(
    tables: Callable[..., Workbench],
    begin: Callable[[Assignment], Trial],
    assign: Callable[..., Assignment],
    task_type: str,
    tmp_path: Path,
) -> None:
    task = tables(task_type).task
    fingerprint = load(task, 0).fingerprint
    assignment = assign(
        task=task,
        data_fingerprint=fingerprint,
        rungs=[8],
        split="test",
        evaluation_limit=None,
        output=str(tmp_path / "out"),
    )
    report = begin(assignment).next_report()
    kept = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    columns = {
        name: kept[name].to_list() for name in kept if name in report.scores or metrics.is_statistics(name)
    }
    assert metrics.of_corpus(columns) == pytest.approx(report.scores)
    assert report.score == report.scores[task.metric]
