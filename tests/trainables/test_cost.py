"""Seconds add up over processes, the peak is the trial's own, and a trial leaves no memory behind."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch

from trainables.cost.memory import SAMPLING_SECONDS, ResidentPeak, release_memory
from trainables.cost.meter import Meter
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
        "peak_reserved_memory_bytes": None,
        "energy_joules": None,
        "flops_per_token": 50.0,
        "counts": {"steps": 2, "examples": 16, "target_tokens": 100, "padded_tokens": 300},
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
    assert meter.state() == {**earlier, **meter.seconds}
    meter.trained(examples=8, target_tokens=50, padded_tokens=100)
    figures = meter.figures()
    assert figures["train_examples_per_second"] == pytest.approx(24 / (20 + own))
    assert figures["train_target_tokens_per_second"] == pytest.approx(150 / (20 + own))
    assert figures["train_flops"] == 50 * 400
    assert figures["train_flops_per_step"] == pytest.approx(50 * 400 / 3)


def test_what_is_not_measured_is_none_and_every_figure_names_its_unit() -> None:
    figures = Meter(CPU).figures()
    unknown = {name for name, value in figures.items() if value is None}
    assert unknown >= {
        "peak_reserved_memory_bytes",
        "train_examples_per_second",
        "train_target_tokens_per_second",
        "train_flops_per_step",
        "train_flops",
    }
    units = ("seconds", "bytes", "per_second", "flops", "flops_per_step", "joules")
    assert all(name.endswith(units) for name in figures)


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


def test_where_the_kernel_keeps_no_peak_it_is_sampled(tmp_path: Path) -> None:
    """A folder cannot be written like the switch: as where /proc is read-only, or is not there."""
    peak = ResidentPeak(clear_refs=tmp_path)
    with peak.watching():
        held = torch.ones(200 * MB // 4)
        time.sleep(5 * SAMPLING_SECONDS)
        del held
    assert peak.allocated_bytes == pytest.approx(200 * MB, abs=20 * MB)
    allocate(400)
    assert peak.allocated_bytes < 300 * MB  # between the blocks nobody looks


def test_the_limit_is_the_least_that_the_system_tells() -> None:
    code = (
        "import resource, torch; from trainables.cost.memory import limit_bytes; cpu = torch.device('cpu'); "
        "before = limit_bytes(cpu); resource.setrlimit(resource.RLIMIT_AS, (before // 2, before)); "
        "print(before, limit_bytes(cpu))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, limited = map(int, ran.stdout.split())
    assert before <= psutil.virtual_memory().total
    assert limited == before // 2


def test_on_a_gpu_the_peak_is_what_torch_held_and_reserved(gpu: torch.device) -> None:
    meter = Meter(gpu)
    del (held := [torch.ones(25 * MB, device=gpu)])[:]
    figures = meter.figures()
    assert figures["peak_memory_bytes"] == pytest.approx(100 * MB, abs=5 * MB)
    assert figures["peak_reserved_memory_bytes"] >= figures["peak_memory_bytes"]
    assert held == []


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
    release_memory()  # what other tests left
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
        method = ("full", "lora", "prompt_tuning")[number % 3]
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
