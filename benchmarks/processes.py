"""The programs under comparison as commands: a sweep of tuneoff, and the peers on the same work."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.work import Work
from search.config import yaml_file

LEFT_TO_THE_PROGRAM = ("OMP_NUM_THREADS",)
"""Not handed on: each program decides on its own threads."""


@dataclass(frozen=True)
class Search:
    """How much a program searches: `trials` of each method, of at most `epochs` passes over the data."""

    methods: Sequence[str]
    trials: int
    epochs: int = 3


def tuneoff(work: Work, search: Search, folder: Path) -> list[str]:
    """`tuneoff run` on a sweep file written for it; the final is as short as can be."""
    sweep: dict[str, Any] = {
        "name": "bench",
        "task": work.task().model_dump(mode="json", exclude_defaults=True),
        "methods": {method: {} for method in search.methods},
        "search": {
            "trials_per_method": search.trials,
            "max_epochs": search.epochs,
            "first_rung": 0.3,  # with a reduction factor of 3: at a third of the budget, and at its end
            "validation_samples": "all",
        },
        "final": {"seeds": 1, "test_samples": 1},
    }
    file = folder / "sweep.yaml"
    file.write_text(yaml_file.dump(sweep), encoding="utf-8")
    return [sys.executable, "-m", "search.console.app", "run", str(file), "--folder", str(folder / "run")]


def peer(name: str, work: Work, search: Search, folder: Path, *, trials: int) -> list[str]:
    """A program of `benchmarks.peers` with so many trials, as it counts them."""
    file = work.write(folder / "work.json")
    options = {"--trials": trials, "--epochs": search.epochs, "--folder": folder / name}
    flags = [str(part) for option in options.items() for part in option]
    return [sys.executable, "-m", f"benchmarks.peers.{name}", str(file), *flags, "--methods", *search.methods]


@contextmanager
def started(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A program with its output to read; it must end well."""
    environment = {name: value for name, value in os.environ.items() if name not in LEFT_TO_THE_PROGRAM}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        yield process
        assert process.stdout is not None
        output = process.stdout.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-3000:]}")


def records(run: Path) -> list[tuple[Path, Mapping[str, Any]]]:
    """The records of a run folder's search, each with its file."""
    files = sorted(run.glob("trials/*/[!.]*.json"))
    return [(file, json.loads(file.read_text(encoding="utf-8"))) for file in files]


def until_first_rung(process: subprocess.Popen[str], run: Path) -> float:
    """Wait for the first rung in a record; `time.time()` then."""
    while process.poll() is None:
        if any(record["rungs"] for _, record in records(run)):
            return time.time()
        time.sleep(0.02)
    assert process.stdout is not None
    raise RuntimeError(f"tuneoff ended before a rung was reported:\n{process.stdout.read()[-3000:]}")


def until_line(process: subprocess.Popen[str], start: str) -> float:
    """Wait for a line that begins so; `time.time()` then."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return time.time()
    raise RuntimeError(f"no line began with {start!r}")
