"""Seconds add up over processes, the peak is the trial's own, and a trial leaves no memory behind."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch

from trainables import methods
from trainables.cost import Meter, release_memory
from trainables.loop import FineTuning
from trainables.workbench import Workbench

CPU = torch.device("cpu")
MB = 1_000_000
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="peak memory of a CPU is read from Linux's /proc"
)


def allocate(megabytes: int) -> None:
    """Touch so much memory, and drop it again."""
    torch.ones(megabytes * MB // 4)


def test_seconds_add_up_by_what_they_were_spent_on() -> None:
    meter = Meter(CPU)
    start = time.perf_counter()
    for _ in range(2):
        with meter.spending("train_seconds"):
            time.sleep(0.05)
    with meter.spending("evaluation_seconds"):
        time.sleep(0.02)
    elapsed = time.perf_counter() - start
    assert meter.seconds["train_seconds"] >= 0.1
    assert meter.seconds["evaluation_seconds"] >= 0.02
    assert meter.seconds["startup_seconds"] == 0
    assert sum(meter.seconds.values()) <= elapsed


def test_seconds_of_what_fails_count_too() -> None:
    meter = Meter(CPU)
    with pytest.raises(ValueError, match="no"), meter.spending("train_seconds"):  # noqa: PT012
        time.sleep(0.02)
        raise ValueError("no")
    assert meter.seconds["train_seconds"] >= 0.02


def test_a_meter_goes_on_from_what_an_earlier_process_spent() -> None:
    meter = Meter(CPU)
    earlier = {
        "startup_seconds": 1.0,
        "train_seconds": 20.0,
        "evaluation_seconds": 300.0,
        "peak_memory_bytes": 10**15,
    }
    with meter.spending("train_seconds"):
        time.sleep(0.01)
    own = meter.seconds["train_seconds"]
    meter.go_on_from(earlier)
    assert meter.seconds == {
        "startup_seconds": 1.0,
        "train_seconds": 20.0 + own,
        "evaluation_seconds": 300.0,
    }
    assert meter.state() == {**meter.seconds, "peak_memory_bytes": 10**15}


def test_a_resumed_trial_counts_the_seconds_of_both_parts(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], tmp_path: Path
) -> None:
    first = tune(bench("t5"), "lora", examples=32)
    first.advance(16)
    first.evaluate("validation", 2)
    first.save(tmp_path, {})
    before = first.cost()
    first.close()
    second = tune(bench("t5"), "lora", examples=32)
    second.load(tmp_path)
    loaded = second.cost()
    assert loaded["train_seconds"] == before["train_seconds"] > 0
    assert loaded["evaluation_seconds"] == before["evaluation_seconds"] > 0
    assert loaded["startup_seconds"] > before["startup_seconds"] > 0
    second.advance(16)
    assert second.cost()["train_seconds"] > loaded["train_seconds"]


@needs_proc
def test_the_peak_sees_what_was_held_for_a_moment() -> None:
    meter = Meter(CPU)
    assert (meter.peak_memory_bytes or 0) < 20 * MB
    allocate(200)
    assert meter.peak_memory_bytes == pytest.approx(200 * MB, abs=20 * MB)


@needs_proc
def test_the_peak_is_not_that_of_an_earlier_trial() -> None:
    Meter(CPU)
    allocate(200)
    meter = Meter(CPU)
    allocate(60)
    assert meter.peak_memory_bytes == pytest.approx(60 * MB, abs=20 * MB)


@needs_proc
def test_a_meter_gives_back_what_an_earlier_trial_left_in_objects_that_refer_to_each_other() -> None:
    class Knot:
        def __init__(self) -> None:
            self.me = self
            self.weights = torch.ones(200 * MB // 4)

    process = psutil.Process()
    Knot()
    before = process.memory_info().rss
    Meter(CPU)
    assert before - process.memory_info().rss == pytest.approx(200 * MB, abs=20 * MB)


@needs_proc
def test_memory_after_ten_trials_is_what_it_was_after_two(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], tmp_path: Path
) -> None:
    table, process = bench("bart"), psutil.Process()
    resident = []
    for number in range(10):
        method = methods.available()[number % len(methods.available())]
        tuning = tune(table, method, examples=8, seed=number)
        tuning.advance(8)
        tuning.evaluate("validation", 2)
        tuning.save(tmp_path / method, {})
        tuning.close()
        del tuning
        release_memory()
        resident.append(process.memory_info().rss)
    assert resident[9] - resident[1] < 8 * MB
    assert resident[9] - resident[5] < 4 * MB


@needs_proc
def test_the_memory_of_adapters_is_given_back(bench: Callable[..., Workbench]) -> None:
    """With adapters of 8 MB and more a trial, one that stayed would show."""
    table, process = bench("t5"), psutil.Process()
    hyperparameters = {"learning_rate": 1e-3, "warmup_ratio": 0.0, "weight_decay": 0.0, "schedule": "linear"}
    resident = []
    for number in range(5):
        tuning = FineTuning(
            table,
            "lora",
            {
                **hyperparameters,
                "rank": 1024,
                "alpha_ratio": 1,
                "dropout": 0.0,
                "targets": "all-linear",
                "batch_size": 8,
            },
            examples=8,
            seed=number,
        )
        tuning.advance(8)
        assert sum(p.nbytes for p in tuning.parameters.values()) > 8 * MB
        tuning.close()
        release_memory()
        resident.append(process.memory_info().rss)
    assert resident[4] - resident[1] < 8 * MB
