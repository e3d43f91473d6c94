"""Both sides of a comparison in one run, turn by turn; a table for the terminal, JSON for everything else."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch

from search.records.provenance import this_start

OURS = "tuneoff"


@dataclass
class Sample:
    """What one turn of one side took."""

    units: float
    """How much was done: examples, steps, sweeps."""
    wall_seconds: float = 0.0
    cpu_seconds: float | None = None
    """Of this process; None where others worked."""


@contextmanager
def timed(units: float = 1) -> Iterator[Sample]:
    """The seconds of the block, by the clock and of this process's processor time.

    What a GPU was given in the block is done before it ends.
    """
    sample = Sample(units)
    _wait()
    wall, cpu = time.perf_counter(), time.process_time()
    yield sample
    _wait()
    sample.wall_seconds, sample.cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu


def _wait() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


Side = Callable[[], Sample]


def in_turns(sides: Mapping[str, Side], rounds: int) -> dict[str, list[Sample]]:
    """Each side once a round, another first each time, so that all meet the same disturbances."""
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    names = list(sides)
    for turn in range(rounds):
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            samples[name].append(sides[name]())
    return samples


@dataclass
class Comparison:
    """One piece of work, done by each side; the first side is tuneoff's."""

    case: str
    unit: str
    samples: Mapping[str, list[Sample]]
    aims: Mapping[str, float] = field(default_factory=dict)
    """By side: how many times as long as tuneoff it should take, at least."""
    notes: Mapping[str, Any] = field(default_factory=dict)

    def milliseconds(self, side: str) -> list[float]:
        """Of the clock, a unit, by round."""
        return [1000 * sample.wall_seconds / sample.units for sample in self.samples[side]]

    def ratios(self, side: str) -> list[float]:
        """How many times as long as tuneoff a side took by the clock, a unit, by round."""
        return [theirs / ours for theirs, ours in zip(*map(self.milliseconds, (side, OURS)), strict=True)]

    def cpu_ratios(self, side: str) -> list[float]:
        """The same of processor time; empty where it was not measured."""
        pairs = list(zip(self.samples[side], self.samples[OURS], strict=True))
        return [
            (theirs.cpu_seconds / theirs.units) / (ours.cpu_seconds / ours.units)
            for theirs, ours in pairs
            if theirs.cpu_seconds is not None and ours.cpu_seconds is not None
        ]

    def summary(self) -> dict[str, Any]:
        """Medians and spreads (lowest, highest) of each side."""
        return {
            side: {
                f"milliseconds a {self.unit}": _spread(self.milliseconds(side)),
                "ratio": _spread(self.ratios(side)),
                "ratio of processor time": _spread(self.cpu_ratios(side)),
                "aim": self.aims.get(side),
                "rounds": [vars(sample) for sample in samples],
            }
            for side, samples in self.samples.items()
        }


def _spread(values: list[float]) -> dict[str, float] | None:
    return {"median": median(values), "low": min(values), "high": max(values)} if values else None


def table(title: str, comparisons: Iterable[Comparison]) -> str:
    """One line a side: median [lowest, highest] over the rounds, and how many times as long as tuneoff."""
    lines = [title]
    for comparison in comparisons:
        lines.append(f"\n{comparison.case} {_noted(comparison.notes)}".rstrip())
        for side, figures in comparison.summary().items():
            took = _shown(figures[f"milliseconds a {comparison.unit}"])
            line = f"  {side:<16}{took:>26} ms a {comparison.unit}"
            if side != OURS:
                cpu, aim = figures["ratio of processor time"], figures["aim"]
                line += f"   {_shown(figures['ratio'])} times as long"
                line += f", of processor time {_shown(cpu)}" if cpu else ""
                line += f"; aim {aim:g}" if aim else ""
            lines.append(line)
    return "\n".join(lines) + "\n"


def _shown(spread: Mapping[str, float]) -> str:
    return "{median:.3g} [{low:.3g}, {high:.3g}]".format(**spread)


def _noted(notes: Mapping[str, Any]) -> str:
    told = [f"{name} {value}" for name, value in notes.items() if not isinstance(value, dict)]
    return f"({', '.join(told)})" if told else ""


def add_options(parser: argparse.ArgumentParser, name: str) -> None:
    """Options of every benchmark."""
    parser.add_argument("--full", action="store_true", help="the long form")
    parser.add_argument("--rounds", type=int, help="turns of each side")
    parser.add_argument(
        "--json", type=Path, default=Path(f"build/bench/{name}.json"), help="where figures go"
    )


def tell(title: str, comparisons: list[Comparison], options: argparse.Namespace) -> None:
    """Print the table, and write the figures with versions, hardware and settings."""
    sys.stdout.write(table(title, comparisons))
    compared = [
        {"case": one.case, "unit": one.unit, "notes": dict(one.notes), "sides": one.summary()}
        for one in comparisons
    ]
    write(options, {"torch_threads": torch.get_num_threads(), "comparisons": compared})


def write(options: argparse.Namespace, figures: Mapping[str, Any]) -> None:
    """Write the figures as JSON, with versions, hardware and settings."""
    options.json.parent.mkdir(parents=True, exist_ok=True)
    content = {
        **this_start(),
        "command": " ".join(["python", *sys.argv]),
        "processor": _processor(),
        "settings": {key: str(value) for key, value in vars(options).items()},
        **figures,
    }
    options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _processor() -> str | None:
    """The processor's name where Linux tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)
