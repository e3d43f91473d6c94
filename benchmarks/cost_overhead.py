"""What measuring a trial's costs costs: the same training step measured and not, turn by turn.

    python -m benchmarks.cost_overhead [--rounds 100] [--method lora] [--batch-size 16] [--steps 38]

The package's small model is trained on one batch over and over, each step on another side, in changing
order: neighbouring steps meet the same disturbances, which from run to run are larger than what is to be
seen. Seconds are the processor's. The aim is below 2 % of a trial of `--steps` steps, the quickstart's.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from scipy.stats import bootstrap

import spaces
from trainables.cost.memory import ResidentPeak
from trainables.cost.meter import Meter, Seconds
from trainables.loop import FineTuning
from trainables.task import Task
from trainables.workbench import Workbench

AIM_PERCENT = 2.0
WARM_UP_STEPS = 4


class Unmeasured(Meter):
    """In place of a trial's meter: takes no notice of anything."""

    @contextmanager
    def spending(self, name: Seconds) -> Iterator[None]:
        yield

    @contextmanager
    def counting_flops(self, padded_tokens: int) -> Iterator[None]:
        yield

    def trained(self, *, examples: int, target_tokens: int, padded_tokens: int) -> None:
        """Nothing is counted."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100, help="steps of each side")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=38, help="of the trial that the percentages are for")
    parser.add_argument("--method", choices=spaces.available(), default="lora")
    options = parser.parse_args()
    torch.set_num_threads(1)
    seconds = step_seconds(options.method, options.batch_size, options.rounds)
    sys.stdout.write(table(seconds, options.steps))


def step_seconds(method: str, batch_size: int, rounds: int) -> dict[str, np.ndarray]:
    """CPU seconds of the steps of each side, in order."""
    task = Task(
        model="embedded",
        data="embedded",
        source="dialogue",
        target="summary",
        prompt="Summarize:\n{dialogue}\nSummary: ",
        max_source_tokens=160,
    )
    bench = Workbench(task, data_seed=0)
    point = {**spaces.get(method).default, "batch_size": batch_size}
    sides = ("not measured", "measured", "peak sampled", "FLOPs counted")
    steps = WARM_UP_STEPS + len(sides) * rounds
    tuning = FineTuning(bench, method, point, examples=steps * batch_size, seed=0)
    tuning.plan = [tuning.plan[0]] * steps
    measured, unmeasured, sampled = tuning.meter, Unmeasured(tuning.meter.device), Meter(tuning.meter.device)
    sampled._peak = ResidentPeak(clear_refs=Path("/dev/null/absent"))
    meters = {"not measured": unmeasured, "measured": measured, "peak sampled": sampled}
    for meter in meters.values():
        tuning.meter = meter  # the step whose FLOPs it counts, if it does
        tuning.advance(batch_size)
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(rounds):
        for side in np.roll(sides, turn):
            tuning.meter = meters.get(side) or Meter(measured.device)  # a new one counts its first step
            start = time.process_time()
            tuning.advance(batch_size)
            seconds[side].append(time.process_time() - start)
    tuning.close()
    return {side: np.array(values) for side, values in seconds.items()}


def table(seconds: dict[str, np.ndarray], steps: int) -> str:
    """Each side's excess over the unmeasured step of its round: the median, with a 95 % interval."""
    bare = seconds["not measured"]
    excess = {side: 100 * (values / bare - 1) for side, values in seconds.items()}
    rows = {
        "measured, but for FLOPs": excess["measured"],
        "the same, memory by a thread": excess["peak sampled"],
        "FLOPs, counted in one step": excess["FLOPs counted"] / steps,
    }
    lines = [f"a step takes {np.median(bare):.3f} s; measuring a trial of {steps} steps takes more by"]
    for label, values in rows.items():
        low, high = bootstrap((values,), np.median, method="percentile", rng=0).confidence_interval
        lines.append(f"{label:30}{np.median(values):+6.2f} %  [{low:+.2f}, {high:+.2f}]")
    lines.append(f"medians of {len(bare)} rounds, 95 % intervals; the aim is below {AIM_PERCENT:g} % in all")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
