"""What measuring a trial's costs costs: the same training measured and not, turn by turn.

    python -m benchmarks.cost_overhead [--examples 400] [--repetitions 5] [--method lora]

Each repetition trains the package's small model anew on its dialogues, once a side, in changing order. CPU
seconds tell more than seconds where other programs share the machine. The aim is below 2 %.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import torch

import spaces
from trainables.cost.memory import ResidentPeak
from trainables.cost.meter import Meter, Seconds
from trainables.loop import FineTuning
from trainables.task import Task
from trainables.workbench import Workbench

AIM_PERCENT = 2.0
SIDES = ("not measured", "measured", "peak sampled")
"""`peak sampled`: measured where the kernel keeps no peak of resident memory, so that a thread looks."""
Times = tuple[float, float]
"""Seconds, and seconds of CPU."""


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
    parser.add_argument("--examples", type=int, default=400, help="examples that each training sees")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--method", choices=spaces.available(), default="lora")
    options = parser.parse_args()
    task = Task(
        model="embedded",
        data="embedded",
        source="dialogue",
        target="summary",
        prompt="Summarize:\n{dialogue}\nSummary: ",
        max_source_tokens=160,
    )
    torch.set_num_threads(1)
    bench = Workbench(task, data_seed=0)
    trained(bench, options.method, options.examples, SIDES[0])  # what is loaded once is loaded here
    times: dict[str, list[Times]] = {side: [] for side in SIDES}
    for repetition in range(options.repetitions):
        turn = repetition % len(SIDES)
        for side in SIDES[turn:] + SIDES[:turn]:
            times[side].append(trained(bench, options.method, options.examples, side))
    sys.stdout.write(table(times))


def trained(bench: Workbench, method: str, examples: int, side: str) -> Times:
    """Train once; what `advance` took."""
    default = spaces.get(method).default
    tuning = FineTuning(bench, method, default, examples=examples, seed=0)
    if side == "not measured":
        tuning.meter = Unmeasured(bench.base.device)
    if side == "peak sampled":
        tuning.meter._peak = ResidentPeak(clear_refs=Path("/dev/null/absent"))
    start, cpu_start = time.perf_counter(), time.process_time()
    tuning.advance(examples)
    spent = time.perf_counter() - start, time.process_time() - cpu_start
    tuning.close()
    return spent


def table(times: dict[str, list[Times]]) -> str:
    """Medians of each side, and by how much they exceed those without measuring."""
    base = [median(column) for column in zip(*times["not measured"], strict=True)]
    lines = [f"{'':14}{'seconds':>10}{'':>9}{'CPU seconds':>14}"]
    for side, rows in times.items():
        wall, cpu = (median(column) for column in zip(*rows, strict=True))
        more = [
            f"{100 * (value / without - 1):+.2f} %" for value, without in zip((wall, cpu), base, strict=True)
        ]
        lines.append(f"{side:14}{wall:10.3f}{more[0]:>9}{cpu:14.3f}{more[1]:>9}")
    lines.append(f"medians of {len(times['measured'])} repetitions; the aim is below {AIM_PERCENT:g} %")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
