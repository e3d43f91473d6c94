"""The parts of the benchmark, each in a process of its own: one that fails leaves its error, no more."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmarks.work import METHODS

PART_SECONDS = 300
"""After so many a part is ended: it hangs, or the device is too slow for it."""
SHAPES = ("flan-t5-small", "llama-1b")
END_SECONDS = 30
LAST_LINES = 5
"""Of a part's output, kept as its error."""


class Part(NamedTuple):
    """A function of this package, imported where it runs: most need no Ray."""

    module: str
    function: str
    arguments: Mapping[str, Any] = MappingProxyType({})

    def measure(self, folder: Path, *, quick: bool) -> dict[str, Any]:
        measured = getattr(import_module(f"benchmarks.gpu.{self.module}"), self.function)
        found: dict[str, Any] = measured(folder, quick=quick, **self.arguments)
        return found


PREPARATION = "device"
"""The part that makes the files that others read."""
PARTS = {
    "doctor": Part("device", "doctor"),
    PREPARATION: Part("device", "preparation"),
    "checks": Part("checks", "checks"),
    **{
        f"training {shape} {method}": Part("training", "training", {"shape": shape, "method": method})
        for shape in SHAPES
        for method in METHODS
    },
    **{f"generation {shape}": Part("generation", "generation", {"shape": shape}) for shape in SHAPES},
    "sharing": Part("sharing", "sharing"),
    "out of memory": Part("recovery", "from_out_of_memory"),
    "determinism": Part("recovery", "determinism", {"deterministic": False}),
    "determinism with task.deterministic": Part("recovery", "determinism", {"deterministic": True}),
}
"""In the order in which they run."""


def isolated(name: str, folder: Path, *, quick: bool, seconds: float = PART_SECONDS) -> dict[str, Any]:
    """Run a part in a new process; return its `figures`, or its `error`, and its `seconds`."""
    flags = ["--quick"] if quick else []
    command = [sys.executable, "-m", "benchmarks.gpu.parts", name, str(folder), *flags]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            output = f"not done after {seconds:g} s"
            _end(process)
    answer: dict[str, Any] = {"seconds": round(time.perf_counter() - began, 1)}
    if process.returncode == 0:
        return answer | {"figures": json.loads(_answer(name, folder).read_text(encoding="utf-8"))}
    lines = output.strip().splitlines()[-LAST_LINES:]
    return answer | {"error": "\n".join(lines) or f"exit code {process.returncode}"}


def _end(process: subprocess.Popen[str]) -> None:
    """End a part as Ctrl-C does, so that it ends what it has started; by force if it does not."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _answer(name: str, folder: Path) -> Path:
    return folder / f"{name} answer.json"


def main(name: str, folder: Path, *, quick: bool) -> None:
    """Run a part in this process."""
    import torch

    torch.set_num_threads(1)
    figures = PARTS[name].measure(folder, quick=quick)
    _answer(name, folder).write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), quick="--quick" in sys.argv[3:])
