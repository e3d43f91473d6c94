"""Training throughput, the device's share of its peak, memory and energy: tuneoff and a Trainer in turns."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks import measure
from benchmarks.gpu.device import flops_per_second
from benchmarks.measure import Comparison, Sample, Side, timed
from benchmarks.peers.script import make_trainer
from benchmarks.training import WARM_UP_EXAMPLES, trained
from benchmarks.work import Work, point
from trainables.cost import memory
from trainables.cost.energy import EnergyCounter
from trainables.device import counts_memory
from trainables.loop import FineTuning
from trainables.preflight.checks.memory import memory as memory_check
from trainables.workbench import Workbench

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass
class Spent(Sample):
    """A turn, with what it cost besides time."""

    peak_bytes: int | None = None
    joules: float | None = None
    flops: float | None = None


def ours(bench: Workbench, method: str, examples: int) -> Spent:
    """One epoch by tuneoff."""
    tuning = FineTuning(bench, method, point(method), examples=examples, seed=0)
    try:
        with timed(examples) as sample:
            tuning.advance(examples)
        cost = tuning.cost()
    finally:
        tuning.close()
    return Spent(
        **vars(sample),
        peak_bytes=cost["peak_memory_bytes"],
        joules=cost["energy_joules"],
        flops=cost["train_flops"],
    )


def theirs(of: Work, method: str, examples: int, device: torch.device, output: Path) -> Spent:
    """The same epoch by a Seq2SeqTrainer that groups by length; its peak is without what tuneoff holds."""
    memory.release_memory()
    held = torch.get_device_module(device).memory_allocated(device) if counts_memory(device) else 0
    trainer = make_trainer(of, method, point(method), output=str(output), num_train_epochs=1)
    peak, counter = memory.peak(device), EnergyCounter(device)
    before = counter.joules()
    with peak.watching():
        sample = trained(trainer, examples)
    after = counter.joules()
    joules = None if before is None or after is None else after - before
    allocated = peak.allocated_bytes
    taken = None if allocated is None else allocated - held
    return Spent(**vars(sample), peak_bytes=taken, joules=joules)


def training(folder: Path, *, quick: bool, shape: str, method: str) -> dict[str, Any]:
    """Compare one method on one shape."""
    of = Work.read(folder / f"{shape}.json")
    bench = Workbench(of.task(), data_seed=0)
    examples, device = len(of.rows("train")), bench.base.device
    predicted = memory_check(bench, method, point(method), 1.0).figures
    ours(bench, method, WARM_UP_EXAMPLES)
    sides: dict[str, Side] = {
        measure.OURS: partial(ours, bench, method, examples),
        "Seq2SeqTrainer": partial(theirs, of, method, examples, device, folder / "trainer"),
    }
    samples = measure.in_turns(sides, rounds=1 if quick else 2)
    compared = Comparison(f"{shape} {method}", "example", samples)
    peak = flops_per_second(device, DTYPES[of.precision], quick=quick)
    return {
        "examples": examples,
        "batch": point(method)["batch_size"],
        "precision": of.precision,
        "predicted_peak_bytes": predicted.get("peak_bytes"),
        "sides": {side: figures | _best(samples[side], peak) for side, figures in compared.summary().items()},
    }


def _best(samples: list[Any], peak_flops_per_second: float) -> dict[str, Any]:
    """The figures of a side's quickest turn; a Trainer does not count its FLOPs."""
    best: Spent = min(samples, key=lambda sample: sample.wall_seconds)
    per_second = best.flops / best.wall_seconds if best.flops else None
    return {
        "examples_per_second": best.units / best.wall_seconds,
        "share_of_peak": per_second / peak_flops_per_second if per_second else None,
        "peak_bytes": best.peak_bytes,
        "joules_per_example": None if best.joules is None else best.joules / best.units,
    }
