import json
from pathlib import Path
from typing import Any

import pytest

from search.records.record import Stop
from search.records.run_folder import RunFolder
from search.records.trial_store import TrialStore
from trainables.errors import InputError
from trainables.rung_report import RungReport
from trainables.status import Status
from trainables.storage.atomic import write_text


def report(rung: int, score: float | None = 20.0, status: str = "running", **changes: Any) -> RungReport:
    content = {"rung": rung, "examples": 100 * 3**rung, "score": score, "scores": {"rougeL": score}}
    return RungReport.model_validate(content | {"cost": {"train_seconds": 1.0}, "status": status} | changes)


def checkpoints(store: TrialStore, *trials: str) -> None:
    for trial in trials:
        write_text(store.folder.checkpoints(store.records[trial]) / "weights.safetensors", trial)


def kept(store: TrialStore) -> list[str]:
    files = (store.folder.root / "checkpoints").rglob("*.safetensors")
    return sorted(file.read_text() for file in files)


@pytest.fixture
def store(bare) -> TrialStore:
    """Three running trials of lora and one of full, each with a checkpoint."""
    for trial in (("full", 0), ("lora", 0), ("lora", 1), ("lora", 2)):
        bare.trial(*trial, [], status="running", ended=None)
    store = TrialStore(bare.folder)
    checkpoints(store, *store.records)
    return store


def test_what_is_reported_is_on_disk_at_once(store):
    record = store.report("lora/0001", report(0, 21.5))
    assert TrialStore(store.folder).records["lora/0001"] == record
    written = json.loads((store.folder.root / "trials/lora/0001.json").read_text())
    assert (written["status"], written["ended"]) == ("running", None)
    assert written["rungs"][0]["score"] == 21.5
    assert written["rungs"][0]["examples"] == 100


def test_a_figure_that_is_not_known_here_is_kept(store):
    store.report("lora/0001", report(0, tokens_seen=9))
    written = json.loads((store.folder.root / "trials/lora/0001.json").read_text())
    assert written["rungs"][0]["tokens_seen"] == 9


def test_a_rung_told_twice_changes_nothing(store):
    store.report("lora/0001", report(0, 21))
    once = store.report("lora/0001", report(1, 22))
    file = store.folder.record_file(once)
    before = file.stat().st_mtime_ns
    assert store.report("lora/0001", report(0, 21)) == once
    assert store.report("lora/0001", report(1, 22)) == once
    assert file.stat().st_mtime_ns == before
    assert [rung.score for rung in store.report("lora/0001", report(2, 23)).rungs] == [21, 22, 23]


def test_a_completed_trial_has_ended(store):
    record = store.report("lora/0001", report(0, status="completed"))
    assert (record.status, record.stop) == ("completed", None)
    assert record.ended is not None


def test_a_diverged_trial_says_why(store):
    record = store.report("lora/0001", report(0, None, "diverged", message="the loss was nan"))
    assert (record.status, record.error, record.score) == ("diverged", "the loss was nan", None)


def test_a_trial_that_is_stopped_has_ended_and_says_why(store):
    stop = Stop(rung=0, value=20, cut_off=25)
    record = store.report("lora/0001", report(0), stop)
    assert (record.status, record.stop) == ("stopped", stop)
    assert record.ended is not None


def test_failures_are_counted_and_the_last_ends_the_trial(store):
    store.report("lora/0001", report(0))
    store.retry("lora/0001")
    store.retry("lora/0001")
    record = store.fail("lora/0001", "Traceback: out of memory")
    assert (record.status, record.failures, record.error) == ("failed", 2, "Traceback: out of memory")
    assert len(record.rungs) == 1
    assert TrialStore(store.folder).records["lora/0001"] == record


def test_preemptions_and_lost_devices_are_counted_apart_from_failures(store):
    store.preempt("lora/0001")
    store.retry("lora/0001")
    store.lose_device("lora/0001")
    record = store.preempt("lora/0001")
    assert (record.preemptions, record.failures, record.device_failures) == (2, 1, 1)
    assert record.status == "running"
    assert TrialStore(store.folder).records["lora/0001"] == record


def test_a_remark_is_kept_once_also_with_a_rung_that_is_told_again(store):
    store.report("lora/0001", report(0))
    for _ in range(2):
        record = store.report("lora/0001", report(0, remarks=["A checkpoint was damaged."]))
    assert (record.remarks, len(record.rungs)) == (["A checkpoint was damaged."], 1)
    record = store.report("lora/0001", report(1, remarks=["A checkpoint was damaged.", "And again."]))
    assert record.remarks == ["A checkpoint was damaged.", "And again."]
    assert TrialStore(store.folder).records["lora/0001"] == record


def test_a_new_trial_does_not_go_on_from_a_checkpoint_that_another_left(store):
    lost = store.records.pop("lora/0002")
    store.begin(lost)
    assert kept(store) == ["full/0000", "lora/0000", "lora/0001"]


def test_a_failure_leaves_the_checkpoint_to_the_retry(store):
    store.retry("lora/0001")
    assert "lora/0001" in kept(store)


def test_of_the_ended_trials_of_a_method_only_the_best_keeps_its_checkpoint(store):
    everything = ["full/0000", "lora/0000", "lora/0001", "lora/0002"]
    assert kept(store) == everything
    store.report("lora/0001", report(0, 30, "completed"))
    assert kept(store) == everything
    store.report("lora/0000", report(0, 10), Stop(rung=0, value=10, cut_off=20))
    assert kept(store) == ["full/0000", "lora/0001", "lora/0002"]
    store.report("lora/0002", report(0, 31, "completed"))
    assert kept(store) == ["full/0000", "lora/0002"]


@pytest.mark.parametrize("how", ["stopped", "diverged", "out_of_memory", "failed", "no score"])
def test_a_trial_that_ends_without_completing_leaves_nothing(store, how):
    if how == "stopped":
        store.report("full/0000", report(0), Stop(rung=0, value=1, cut_off=2))
    elif how == "failed":
        store.fail("full/0000", "it broke")
    else:
        store.report("full/0000", report(0, None, "completed" if how == "no score" else how))
    assert kept(store) == ["lora/0000", "lora/0001", "lora/0002"]


def test_a_run_of_the_final_leaves_its_output_but_no_checkpoint(store, bare):
    bare.final("lora", 0, None, status="running", rungs=[], ended=None)
    store = TrialStore(bare.folder)
    checkpoints(store, "lora/seed-0")
    bare.adapter(store.records["lora/seed-0"], {"adapter_model.safetensors": "final"})
    store.report("lora/seed-0", report(0, 40, "completed"))
    assert "lora/seed-0" not in kept(store)
    assert "lora/0001" in kept(store)
    assert store.folder.adapter(store.records["lora/seed-0"]).is_dir()


def test_replacing_a_run_removes_what_the_earlier_one_left(store, bare):
    old = bare.final("lora", 0, 40)
    store = TrialStore(bare.folder)
    checkpoints(store, "lora/seed-0")
    bare.adapter(old, {"adapter_model.safetensors": "old"})
    bare.predictions(old, [{"id": "test-0"}])
    new = old.model_copy(update={"of_trial": "lora/0002", "status": Status.RUNNING, "rungs": []})
    store.replace(new)
    assert [file.name for file in store.folder.output(old).iterdir()] == ["record.json"]
    assert not store.folder.checkpoints(old).exists()
    assert TrialStore(bare.folder).records["lora/seed-0"] == new


def test_trials_come_by_number_and_finals_are_none_of_them(searched):
    searched.final("lora", 0, 40)
    assert [record.number for record in TrialStore(searched.folder).search("lora")] == [0, 1, 2, 3]
    assert TrialStore(searched.folder).search("nothing") == []


@pytest.mark.parametrize(
    "content", [b"", b'{"format": 1, "id": "lora/0', b"[]", b'{"format": 1}', b"\x00" * 100, b"\xff\xfe\xfa"]
)
def test_a_corrupt_record_is_told_with_its_file(searched, content):
    file = searched.root / "trials/lora/0002.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=rf"The record {file} cannot be read. `tuneoff resume` sets it"):
        TrialStore(searched.folder)


def test_a_folder_that_moved_is_the_same_sweep(searched, tmp_path):
    before = TrialStore(searched.folder).records
    moved = Path(tmp_path / "elsewhere")
    searched.root.rename(moved)
    assert TrialStore(RunFolder(moved)).records == before
