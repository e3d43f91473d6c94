"""What TensorBoard would read: event files decoded by the format's own definition."""

import importlib
import struct
import subprocess
import sys

import pytest
from tensorboardX.proto.event_pb2 import Event

from search.records.record import Record
from search.trackers.tensorboard import TensorBoardLogger, absent, scalars


def events(folder) -> list[Event]:
    """The records of all event files of a folder: length, its checksum, data, its checksum (TFRecord)."""
    found = []
    for file in sorted(folder.glob("events.out.tfevents.*")):
        data, place = file.read_bytes(), 0
        while place < len(data):
            (length,) = struct.unpack("<Q", data[place : place + 8])
            found.append(Event.FromString(data[place + 12 : place + 12 + length]))
            place += 16 + length
    return found


def values(folder) -> dict[str, list[tuple[int, float]]]:
    """Tag to steps and values."""
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events(folder):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, []).append((event.step, round(value.simple_value, 4)))
    return found


def told(logger: TensorBoardLogger, planted, number: int, scores, **changes) -> Record:
    record = planted.trial("lora", number, scores, **changes)
    logger("rung", record)
    return record


def test_each_rung_is_a_point_by_the_examples_seen(bare):
    logger = TensorBoardLogger(bare.folder)
    told(logger, bare, 1, [20.5], status="running")
    told(logger, bare, 1, [20.5, None], status="running")
    record = told(logger, bare, 1, [20.5, None, 30.25])
    found = values(bare.folder.tensorboard(record))
    assert found["validation/rougeL"] == [(100, 20.5), (900, 30.25)]
    assert found["loss/validation"] == [(100, 2.5), (300, 1.5), (900, 0.5)]
    assert found["cost/train_seconds"] == [(100, 10), (300, 20), (900, 30)]
    assert found.keys() == {tag for tag, _ in scalars(record, record.rungs[-1])}


def test_hyperparameters_are_told_once_with_the_method(bare):
    logger = TensorBoardLogger(bare.folder)
    for count in (1, 2, 3):
        record = told(logger, bare, 1, [None, 2, 3][:count])
    summaries = [value for event in events(bare.folder.tensorboard(record)) for value in event.summary.value]
    tags = [value.tag for value in summaries if value.tag.startswith("_hparams_")]
    assert sorted(tags) == [
        f"_hparams_/{name}" for name in ("experiment", "session_end_info", "session_start_info")
    ]
    start = next(value for value in summaries if value.tag == "_hparams_/session_start_info")
    content = start.metadata.plugin_data.content
    assert all(name in content for name in (b"learning_rate", b"method", b"lora"))


def test_a_trial_that_goes_on_in_another_process_adds_to_what_is_there(bare):
    told(TensorBoardLogger(bare.folder), bare, 1, [20], status="running")
    logger = TensorBoardLogger(bare.folder)
    logger("begin", bare.trial("lora", 1, [20], status="running"))
    record = told(logger, bare, 1, [20, 30])
    assert values(bare.folder.tensorboard(record))["validation/rougeL"] == [(100, 20), (300, 30)]


def test_a_run_that_is_done_anew_begins_anew(bare):
    logger = TensorBoardLogger(bare.folder)
    told(logger, bare, 1, [20, 30, 40])
    logger("begin", bare.trial("lora", 1, [], status="running"))
    record = told(logger, bare, 1, [25], status="running")
    assert values(bare.folder.tensorboard(record))["validation/rougeL"] == [(100, 25)]


def test_the_driver_does_not_load_torch_for_them():
    code = "import search.trackers.tensorboard, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_library_is_absent_until_it_is_looked_for_again(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with absent("colorsys"), pytest.raises(ModuleNotFoundError):
        importlib.import_module("colorsys")
    there = importlib.import_module("colorsys")
    with absent("colorsys"):
        assert importlib.import_module("colorsys") is there
