"""How long tuneoff takes to start: its command line, a report, and a sweep up to the first rung reported.

    python -m benchmarks.startup [--full] [--rounds 3]

Beside the first rung stands the same for a script with Ray Tune, which asks no checks first. Of tuneoff's
seconds it is told what they went to: from the files that it leaves, and from the costs in the record.
"""

import argparse
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import measure, work
from benchmarks.measure import Comparison, Sample
from benchmarks.processes import Search, peer, records, started, tuneoff, until_first_rung, until_line
from benchmarks.work import Work

FIRST_RUNG = Search(methods=("lora",), trials=1, epochs=1)
LIMITS = {"tuneoff --help": 0.5, "tuneoff report": 2.0}
"""Seconds."""


@contextmanager
def child_timed() -> Iterator[Sample]:
    """The seconds of the block, by the clock and of the processes that ended in it."""
    sample = Sample(1)
    wall, cpu = time.perf_counter(), _children_seconds()
    yield sample
    sample.wall_seconds, sample.cpu_seconds = time.perf_counter() - wall, _children_seconds() - cpu


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def command(*words: str) -> Sample:
    """One call of the command line."""
    with child_timed() as sample, started([sys.executable, "-m", "search.console.app", *words]):
        pass
    return sample


def our_first_rung(of: Work, folder: Path) -> tuple[Sample, dict[str, float]]:
    """Seconds from the command to the first rung in a record, and what they went to."""
    folder.mkdir(parents=True)
    words, run = tuneoff(of, FIRST_RUNG, folder), folder / "run"
    begun = time.time()
    with started(words) as process:
        told = until_first_rung(process, run)
        planned = (run / "sweep.yaml").stat().st_mtime
        gated = (run / "preflight.json").stat().st_mtime
        ((_, record),) = records(run)
        cost = record["rungs"][0]["cost"]
    trial = {name: cost[f"{name}_seconds"] for name in ("startup", "train", "evaluation")}
    parts = {
        "check, data": planned - begun,
        "Ray, worker, checks": gated - planned,
        **{f"trial's {name}": seconds for name, seconds in trial.items()},
        "Tune, records": told - gated - sum(trial.values()),
    }
    return Sample(1, told - begun), parts


def their_first_rung(of: Work, folder: Path) -> Sample:
    """Seconds from the script's start to its first result."""
    folder.mkdir(parents=True)
    begun = time.time()
    with started(peer("script", of, FIRST_RUNG, folder, trials=1)) as process:
        told = until_line(process, "result")
    return Sample(1, told - begun)


def first_rungs(of: Work, folder: Path, rounds: int) -> Comparison:
    """Both programs from their start to the first result."""
    parts: list[dict[str, float]] = []
    turn = iter(range(rounds))

    def ours() -> Sample:
        sample, spent = our_first_rung(of, folder / f"tuneoff-{next(turn)}")
        parts.append(spent)
        return sample

    def theirs() -> Sample:
        return their_first_rung(of, folder / f"script-{time.time_ns()}")

    samples = measure.in_turns({measure.OURS: ours, "script": theirs}, rounds)
    notes = {f"{name}": f"{sorted(p[name] for p in parts)[rounds // 2]:.1f} s" for name in parts[0]}
    return Comparison("to the first rung", "start", samples, {"script": 1.0}, notes)


def commands(run: Path, rounds: int) -> list[Comparison]:
    """The command line's own start, and the report of a finished sweep."""
    cases = {"tuneoff --help": ("--help",), "tuneoff report": ("report", str(run))}
    return [
        Comparison(
            case,
            "call",
            measure.in_turns({measure.OURS: lambda words=words: command(*words)}, rounds),
            notes={"aim below": f"{LIMITS[case]:g} s"},
        )
        for case, words in cases.items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    work.add_options(parser)
    measure.add_options(parser, "startup")
    options = parser.parse_args(arguments)
    rounds = options.rounds or (5 if options.full else 1)
    with TemporaryDirectory() as folder:
        of = work.prepare(Path(folder), options, train=16, validation=8)
        found = [first_rungs(of, Path(folder), rounds)]
        found += commands(Path(folder) / "tuneoff-0" / "run", 5 * rounds)
    measure.tell("Start-up", found, options)


if __name__ == "__main__":
    main()
