import json
from pathlib import Path
from typing import Any

import pytest

from search.ledger import Ledger
from search.records import Stop
from search.store import RunFolder
from trainables.atomic import write_text
from trainables.errors import InputError


def report(rung: int, score: float | None = 20.0, status: str = "running", **changes: Any) -> dict[str, Any]:
    content = {"rung": rung, "examples": 100 * 3**rung, "score": score, "scores": {"rougeL": score}}
    return content | {"cost": {"train_seconds": 1.0}, "status": status, "message": None} | changes


def checkpoints(ledger: Ledger, *trials: str) -> None:
    for trial in trials:
        write_text(ledger.folder.checkpoints(ledger.records[trial]) / "weights.safetensors", trial)


def kept(ledger: Ledger) -> list[str]:
    files = (ledger.folder.root / "checkpoints").rglob("*.safetensors")
    return sorted(file.read_text() for file in files)


@pytest.fixture
def ledger(bare) -> Ledger:
    """Three running trials of lora and one of full, each with a checkpoint."""
    for trial in (("full", 0), ("lora", 0), ("lora", 1), ("lora", 2)):
        bare.trial(*trial, [], status="running", ended=None)
    ledger = Ledger(bare.folder)
    checkpoints(ledger, *ledger.records)
    return ledger


def test_what_is_reported_is_on_disk_at_once(ledger):
    record = ledger.report("lora/0001", report(0, 21.5))
    assert Ledger(ledger.folder).records["lora/0001"] == record
    written = json.loads((ledger.folder.root / "trials/lora/0001.json").read_text())
    assert (written["status"], written["ended"]) == ("running", None)
    assert written["rungs"][0]["score"] == 21.5
    assert written["rungs"][0]["examples"] == 100


def test_a_rung_told_twice_changes_nothing(ledger):
    ledger.report("lora/0001", report(0, 21))
    once = ledger.report("lora/0001", report(1, 22))
    file = ledger.folder.record_file(once)
    before = file.stat().st_mtime_ns
    assert ledger.report("lora/0001", report(0, 21)) == once
    assert ledger.report("lora/0001", report(1, 22)) == once
    assert file.stat().st_mtime_ns == before
    assert [rung.score for rung in ledger.report("lora/0001", report(2, 23)).rungs] == [21, 22, 23]


def test_a_completed_trial_has_ended(ledger):
    record = ledger.report("lora/0001", report(0, status="completed"))
    assert (record.status, record.stop) == ("completed", None)
    assert record.ended is not None


def test_a_diverged_trial_says_why(ledger):
    record = ledger.report("lora/0001", report(0, None, "diverged", message="the loss was nan"))
    assert (record.status, record.error, record.score) == ("diverged", "the loss was nan", None)


def test_a_decided_stop_is_of_the_next_report_alone(ledger):
    stop = Stop(rung=0, value=20, cut_off=25)
    ledger.stops["lora/0001"] = stop
    assert ledger.report("lora/0002", report(0)).status == "running"
    record = ledger.report("lora/0001", report(0))
    assert (record.status, record.stop) == ("stopped", stop)
    assert ledger.stops == {}


def test_failures_are_counted_and_the_last_ends_the_trial(ledger):
    ledger.report("lora/0001", report(0))
    ledger.retry("lora/0001")
    ledger.retry("lora/0001")
    record = ledger.fail("lora/0001", "Traceback: out of memory")
    assert (record.status, record.failures, record.error) == ("failed", 2, "Traceback: out of memory")
    assert len(record.rungs) == 1
    assert Ledger(ledger.folder).records["lora/0001"] == record


def test_preemptions_are_counted_apart_from_failures(ledger):
    ledger.preempt("lora/0001")
    ledger.retry("lora/0001")
    record = ledger.preempt("lora/0001")
    assert (record.preemptions, record.failures, record.status) == (2, 1, "running")
    assert Ledger(ledger.folder).records["lora/0001"] == record


def test_a_remark_is_kept_once_also_with_a_rung_that_is_told_again(ledger):
    ledger.report("lora/0001", report(0))
    for _ in range(2):
        record = ledger.report("lora/0001", report(0, remarks=["A checkpoint was damaged."]))
    assert (record.remarks, len(record.rungs)) == (["A checkpoint was damaged."], 1)
    record = ledger.report("lora/0001", report(1, remarks=["A checkpoint was damaged.", "And again."]))
    assert record.remarks == ["A checkpoint was damaged.", "And again."]
    assert Ledger(ledger.folder).records["lora/0001"] == record


def test_a_new_trial_does_not_go_on_from_a_checkpoint_that_another_left(ledger):
    lost = ledger.records.pop("lora/0002")
    ledger.begin(lost)
    assert kept(ledger) == ["full/0000", "lora/0000", "lora/0001"]


def test_a_failure_leaves_the_checkpoint_to_the_retry(ledger):
    ledger.retry("lora/0001")
    assert "lora/0001" in kept(ledger)


def test_of_the_ended_trials_of_a_method_only_the_best_keeps_its_checkpoint(ledger):
    everything = ["full/0000", "lora/0000", "lora/0001", "lora/0002"]
    assert kept(ledger) == everything
    ledger.report("lora/0001", report(0, 30, "completed"))
    assert kept(ledger) == everything
    ledger.stops["lora/0000"] = Stop(rung=0, value=10, cut_off=20)
    ledger.report("lora/0000", report(0, 10))
    assert kept(ledger) == ["full/0000", "lora/0001", "lora/0002"]
    ledger.report("lora/0002", report(0, 31, "completed"))
    assert kept(ledger) == ["full/0000", "lora/0002"]


@pytest.mark.parametrize("how", ["stopped", "diverged", "out_of_memory", "failed", "no score"])
def test_a_trial_that_ends_without_completing_leaves_nothing(ledger, how):
    if how == "stopped":
        ledger.stops["full/0000"] = Stop(rung=0, value=1, cut_off=2)
        ledger.report("full/0000", report(0))
    elif how == "failed":
        ledger.fail("full/0000", "it broke")
    else:
        ledger.report("full/0000", report(0, None, "completed" if how == "no score" else how))
    assert kept(ledger) == ["lora/0000", "lora/0001", "lora/0002"]


def test_a_run_of_the_final_leaves_its_output_but_no_checkpoint(ledger, bare):
    bare.final("lora", 0, None, status="running", rungs=[], ended=None)
    ledger = Ledger(bare.folder)
    checkpoints(ledger, "lora/seed-0")
    bare.adapter(ledger.records["lora/seed-0"], {"adapter_model.safetensors": "final"})
    ledger.report("lora/seed-0", report(0, 40, "completed"))
    assert "lora/seed-0" not in kept(ledger)
    assert "lora/0001" in kept(ledger)
    assert ledger.folder.adapter(ledger.records["lora/seed-0"]).is_dir()


def test_replacing_a_run_removes_what_the_earlier_one_left(ledger, bare):
    old = bare.final("lora", 0, 40)
    ledger = Ledger(bare.folder)
    checkpoints(ledger, "lora/seed-0")
    bare.adapter(old, {"adapter_model.safetensors": "old"})
    bare.predictions(old, [{"id": "test-0"}])
    new = old.model_copy(update={"of_trial": "lora/0002", "status": "running", "rungs": []})
    ledger.replace(new)
    assert [file.name for file in ledger.folder.output(old).iterdir()] == ["record.json"]
    assert not ledger.folder.checkpoints(old).exists()
    assert Ledger(bare.folder).records["lora/seed-0"] == new


def test_trials_come_by_number_and_finals_are_none_of_them(searched):
    searched.final("lora", 0, 40)
    assert [record.number for record in Ledger(searched.folder).qualifying("lora")] == [0, 1, 2, 3]
    assert Ledger(searched.folder).qualifying("nothing") == []


@pytest.mark.parametrize(
    "content", [b"", b'{"format": 1, "id": "lora/0', b"[]", b'{"format": 1}', b"\x00" * 100, b"\xff\xfe\xfa"]
)
def test_a_corrupt_record_is_told_with_its_file(searched, content):
    file = searched.root / "trials/lora/0002.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=rf"The record {file} cannot be read. `tuneoff resume` sets it"):
        Ledger(searched.folder)


def test_a_folder_that_moved_is_the_same_sweep(searched, tmp_path):
    before = Ledger(searched.folder).records
    moved = Path(tmp_path / "elsewhere")
    searched.root.rename(moved)
    assert Ledger(RunFolder(moved)).records == before
