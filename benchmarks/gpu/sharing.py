"""Several processes that train on one GPU at a time, with and without NVIDIA's multi-process service (MPS).

    python -m benchmarks.gpu.sharing WORK.json 512

is one of them: it trains LoRA for a moment, prints `ready`, waits for a line, trains and prints its seconds.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

from benchmarks.work import Work

CONTROL = "nvidia-cuda-mps-control"
METHOD = "lora"
STOP_SECONDS = 30


def sharing(folder: Path, *, quick: bool) -> dict[str, Any]:
    """Examples a second of 1, 2, 4 and 8 processes together."""
    file = folder / "flan-t5-small.json"
    examples, counts = (8, (1, 2)) if quick else (512, (1, 2, 4, 8))
    found: dict[str, Any] = {"method": METHOD, "examples of each": examples}
    found["without MPS"] = {str(count): together(count, file, examples, {}) for count in counts}
    try:
        with mps() as environment:
            found["with MPS"] = {str(count): together(count, file, examples, environment) for count in counts}
    except (OSError, subprocess.SubprocessError) as error:
        found["with MPS"] = f"not measured: {error}"
    return found


@contextmanager
def mps() -> Iterator[dict[str, str]]:
    """Run the service with folders of its own; yield what its clients need in their environment.

    Raises:
        FileNotFoundError: there is no such program.
        CalledProcessError: it does not start.
    """
    if shutil.which(CONTROL) is None:
        raise FileNotFoundError(f"there is no {CONTROL} here")
    with TemporaryDirectory(prefix="mps-", dir="/tmp") as folder:  # a socket's path must be short
        own = {"CUDA_MPS_PIPE_DIRECTORY": f"{folder}/pipe", "CUDA_MPS_LOG_DIRECTORY": f"{folder}/log"}
        environment = {**os.environ, **own}
        for path in own.values():
            Path(path).mkdir()
        subprocess.run([CONTROL, "-d"], env=environment, check=True, timeout=STOP_SECONDS)
        try:
            yield own
        finally:
            subprocess.run(
                [CONTROL], input="quit\n", text=True, env=environment, check=False, timeout=STOP_SECONDS
            )


def together(count: int, file: Path, examples: int, environment: Mapping[str, str]) -> dict[str, Any]:
    """Start so many processes and let them train at the same time; one that fails leaves its error."""
    with ExitStack() as stack:
        trainers = [stack.enter_context(_started(file, examples, environment)) for _ in range(count)]
        ready = [trainer for trainer in trainers if trainer.hears("ready")]
        for trainer in ready:
            trainer.tell("go")
        seconds = [float(words[1]) for trainer in ready if (words := trainer.hears("seconds"))]
        errors = [trainer.error() for trainer in trainers if trainer.process.wait() != 0]
    return {
        "examples_per_second": len(seconds) * examples / max(seconds) if seconds else None,
        "seconds": seconds,
        "errors": errors,
    }


@dataclass(frozen=True)
class _Trainer:
    """One of the processes."""

    process: subprocess.Popen[str]
    errors: IO[str]

    def hears(self, word: str) -> list[str]:
        """Wait for a line that begins so; return its words, none where the process ended without."""
        assert self.process.stdout is not None
        return next((line.split() for line in self.process.stdout if line.startswith(word)), [])

    def tell(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def error(self) -> str:
        """Return the last line that it wrote."""
        self.errors.seek(0)
        return (self.errors.read().strip().splitlines() or [f"exit code {self.process.returncode}"])[-1]


@contextmanager
def _started(file: Path, examples: int, environment: Mapping[str, str]) -> Iterator[_Trainer]:
    command = [sys.executable, "-m", "benchmarks.gpu.sharing", str(file), str(examples)]
    with (
        TemporaryFile("w+") as errors,
        subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield _Trainer(process, errors)
        finally:
            process.kill()


def main(file: str, examples: int) -> None:
    """Be one of the processes."""
    from benchmarks.training import WARM_UP_EXAMPLES, ours
    from benchmarks.work import point
    from trainables.workbench import Workbench

    bench = Workbench(Work.read(file).task(), data_seed=0)
    ours(bench, METHOD, point(METHOD), WARM_UP_EXAMPLES)
    print("ready", flush=True)  # noqa: T201 (what the other process waits for)
    sys.stdin.readline()
    print("seconds", ours(bench, METHOD, point(METHOD), examples).wall_seconds, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
