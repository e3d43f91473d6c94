"""A trial reports at each rung, and after a crash says again what was not heard and trains the rest."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from peft import PeftModel
from transformers import AutoModelForCausalLM

import spaces
from tests.trainables.conftest import RUNGS
from trainables import preemption
from trainables.assignment import Assignment
from trainables.preemption import Preempted, heeding_notice
from trainables.rung_report import RungReport
from trainables.trial import Trial


def reports(trial: Trial, count: int) -> list[RungReport]:
    return [trial.next_report() for _ in range(count)]


def without_times(report: RungReport) -> RungReport:
    cost = {k: v for k, v in report.cost.items() if "second" not in k and "memory" not in k}
    return report.model_copy(update={"cost": cost})


def unremarked(report: RungReport) -> RungReport:
    return without_times(report).model_copy(update={"remarks": []})


def as_json(told: list[RungReport]) -> list[RungReport]:
    """The reports as a checkpoint gives them back, which has no NaN."""
    text = json.dumps([report.model_dump() for report in told], allow_nan=False)
    return [RungReport.model_validate(report) for report in json.loads(text)]


def test_a_trial_reports_at_each_rung(assign: Callable[..., Assignment], begin: Callable[..., Trial]) -> None:
    told = reports(begin(assign()), 3)
    assert [report.rung for report in told] == [0, 1, 2]
    assert [report.examples for report in told] == RUNGS
    assert [report.status for report in told] == ["running", "running", "completed"]
    for report in told:
        assert list(report.scores) == ["rouge1", "rouge2", "rougeL", "rougeLsum"]
        assert report.score == report.scores["rougeL"]
        assert report.loss > 0
        assert report.train_loss > 0
        assert 0 <= report.capped_share <= 1
        assert report.message is None
        assert report.precision == "fp32"
    assert as_json(told) == told
    seconds = [report.cost["train_seconds"] for report in told]
    assert 0 < seconds[0] < seconds[1] < seconds[2]


def test_a_rung_inside_a_batch_is_passed_to_its_end(
    assign: Callable[..., Assignment], begin: Callable[..., Trial]
) -> None:
    told = reports(begin(assign(rungs=[4, 6, 20, 41])), 4)
    assert [report.examples for report in told] == [8, 8, 24, 41]
    assert [report.rung for report in told] == [0, 1, 2, 3]
    assert told[1].train_loss is None


def test_after_a_crash_what_was_reported_is_said_again_without_training(
    assign: Callable[..., Assignment], begin: Callable[..., Trial]
) -> None:
    unbroken = reports(begin(assign()), 3)
    for finished in (1, 2, 3):
        checkpoints = f"{assign().checkpoints}-{finished}"
        before = reports(begin(assign(checkpoints=checkpoints)), finished)
        again = begin(assign(checkpoints=checkpoints))
        assert again.tuning.examples_seen == RUNGS[finished - 1]
        assert reports(again, finished) == before
        assert again.tuning.examples_seen == RUNGS[finished - 1]
        rest = reports(again, 3 - finished)
        assert [without_times(r) for r in before + rest] == [without_times(r) for r in unbroken]


def test_reports_that_the_driver_has_are_not_said_again(
    assign: Callable[..., Assignment], begin: Callable[..., Trial]
) -> None:
    before = reports(begin(assign()), 2)
    again = begin(assign(rungs_told=1))
    assert again.next_report() == before[1]
    assert again.next_report().rung == 2


def test_a_trial_stopped_in_the_middle_of_a_rung_trains_that_rung_again(
    assign: Callable[..., Assignment], begin: Callable[..., Trial]
) -> None:
    unbroken = reports(begin(assign(checkpoints=assign().checkpoints + "-other")), 2)
    crashed = begin(assign())
    crashed.next_report()
    crashed.tuning.advance(8)
    again = begin(assign(rungs_told=1))
    assert again.tuning.examples_seen == 8
    assert without_times(again.next_report()) == without_times(unbroken[1])


def test_a_trial_whose_checkpoint_is_lost_begins_again(
    assign: Callable[..., Assignment], begin: Callable[..., Trial]
) -> None:
    before = reports(begin(assign()), 2)
    for file in Path(assign().checkpoints).rglob("*.*"):
        file.write_bytes(b"")
    again = begin(assign(rungs_told=2))
    assert again.tuning.examples_seen == 0
    repeated = reports(again, 2)
    assert [unremarked(r) for r in repeated] == [without_times(r) for r in before]
    assert len(repeated[0].remarks) == 2


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_and_told(
    assign: Callable[..., Assignment], begin: Callable[..., Trial]
) -> None:
    before = reports(begin(assign()), 2)
    newest = max(Path(assign().checkpoints).iterdir())
    (newest / "state.safetensors").write_bytes(b"damaged")
    again = begin(assign(rungs_told=2))
    assert again.tuning.examples_seen == RUNGS[0]
    repeated = again.next_report()
    assert repeated.remarks == [f"The checkpoint at {RUNGS[1]} examples was damaged and passed over."]
    assert unremarked(repeated) == without_times(before[1])


LONG = [8, 40, 48]
"""Rungs of which the second has four steps."""


def told_to_go(trial: Trial, monkeypatch: pytest.MonkeyPatch, *, at_step: int) -> None:
    """Have SIGTERM come in such a step of a trial's second rung."""
    trial.next_report()
    train, done = trial.tuning._step, []

    def step(*args: object) -> None:
        done.append(1)
        if len(done) == at_step:
            signal.raise_signal(signal.SIGTERM)
        train(*args)

    monkeypatch.setattr(trial.tuning, "_step", step)
    with heeding_notice(), pytest.raises(Preempted):
        trial.next_report()


@pytest.fixture
def unnoticed() -> Iterator[None]:
    """A process that was told to go is of no use for other tests."""
    yield
    preemption._NOTICE.clear()


@pytest.mark.usefixtures("unnoticed")
def test_a_trial_that_is_told_to_go_saves_what_it_has_and_goes_on_from_there(
    assign: Callable[..., Assignment], begin: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = reports(begin(assign(checkpoints=assign().checkpoints + "-other", rungs=LONG)), 3)
    told_to_go(begin(assign(rungs=LONG)), monkeypatch, at_step=2)
    preemption._NOTICE.clear()  # the next worker is another process
    again = begin(assign(rungs=LONG, rungs_told=1))
    assert again.tuning.examples_seen == 8 + 2 * 8
    rest = reports(again, 2)
    assert [without_times(r) for r in rest] == [without_times(r) for r in unbroken[1:]]
    assert rest[0].train_loss == unbroken[1].train_loss


@pytest.mark.usefixtures("unnoticed")
def test_a_worker_that_was_told_to_go_begins_nothing_more(
    assign: Callable[..., Assignment], begin: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = begin(assign(rungs=LONG))
    told_to_go(trial, monkeypatch, at_step=4)
    saved = sorted(Path(assign().checkpoints).iterdir())
    assert [int(folder.name) for folder in saved] == [8, 40]
    with pytest.raises(Preempted):
        trial.next_report()


def test_a_run_of_the_final_is_scored_at_its_end_only_and_keeps_its_output(
    assign: Callable[..., Assignment], begin: Callable[..., Trial], tmp_path: Path
) -> None:
    output = tmp_path / "final" / "lora" / "seed-0"
    final = {"output": str(output), "split": "test", "evaluation_limit": None, "evaluate_at_end_only": True}
    told = reports(begin(assign(**final)), 3)
    assert [report.score is None for report in told] == [True, True, False]
    assert told[0].scores == {}
    assert told[0].train_loss > 0

    table = pd.read_parquet(output / "predictions.parquet")
    assert list(table.columns) == ["id", "source", "references", "prediction", *told[2].scores]
    assert len(table) == 8
    assert table["rougeL"].mean() == pytest.approx(told[2].score)
    PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(assign().task.model), str(output / "adapter")
    )
    weights = output / "adapter" / "adapter_model.safetensors"
    assert told[2].cost["adapter_bytes"] == weights.stat().st_size
    assert sorted(path.name for path in output.iterdir()) == ["adapter", "predictions.parquet"]


def test_a_final_that_crashed_after_its_end_says_its_report_again(
    assign: Callable[..., Assignment], begin: Callable[..., Trial], tmp_path: Path
) -> None:
    final = {"output": str(tmp_path / "final"), "evaluate_at_end_only": True}
    before = reports(begin(assign(**final)), 3)
    assert reports(begin(assign(**final)), 3) == before
    assert begin(assign(**final, rungs_told=2)).next_report() == before[2]


def test_the_baseline_is_scored_without_training(
    assign: Callable[..., Assignment], begin: Callable[..., Trial], tmp_path: Path
) -> None:
    (report,) = reports(begin(assign(None, rungs=[48], output=str(tmp_path / "final"), split="test")), 1)
    assert (report.status, report.examples, report.cost["trainable_parameters"]) == (
        "completed",
        0,
        0,
    )
    assert report.train_loss is None
    assert report.score > 0
    assert {path.name for path in (tmp_path / "final").iterdir()} == {"copies.parquet", "predictions.parquet"}
    written, copied = (
        pd.read_parquet(tmp_path / "final" / f"{name}.parquet") for name in ("predictions", "copies")
    )
    for _, table in copied.groupby("copy"):
        assert list(table["id"]) == list(written["id"])
    assert not Path(assign().checkpoints).exists()


def test_a_trial_that_diverges_says_so_and_the_next_one_is_not_harmed(
    assign: Callable[..., Assignment], begin: Callable[..., Trial]
) -> None:
    expected = begin(assign()).next_report()
    absurd = {**spaces.get("full").default, "learning_rate": 1e30}
    diverging = begin(assign("full", hyperparameters=absurd, checkpoints=assign().checkpoints + "-full"))
    told: list[RungReport] = []
    while not told or told[-1].status == "running":
        told.append(diverging.next_report())
    assert told[-1].status == "diverged"
    assert told[-1].score is None
    assert told[-1].message.startswith("The training loss became ")
    assert told[-1].examples < 32
    assert as_json(told) == told
    assert told[-1].cost["train_seconds"] > 0
    again = begin(assign(checkpoints=assign().checkpoints + "-again")).next_report()
    assert without_times(again) == without_times(expected)
