"""A whole search, from the command to the last trial: tuneoff, a script with Ray Tune, hyperparameter_search.

    python -m benchmarks.sweep [--full] [--trials 3] [--examples 32]

Three methods with as many trials each, eight with --full, of up to three passes over the same examples, on
all CPUs of this machine. Each side stops trials in its own way: tuneoff by an ASHA a method, the script by
one ASHA for all, hyperparameter_search by Optuna's median pruner. tuneoff's time includes its checks, not its
final.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import measure, work
from benchmarks.measure import Comparison, Sample, Side
from benchmarks.processes import Search, peer, records, started, tuneoff
from benchmarks.work import Work

AIMS = {"script": 3.0, "hp_search": 3.0}


def ours(of: Work, search: Search, folder: Path) -> Sample:
    """Seconds until the last trial of the search has ended."""
    words = tuneoff(of, search, folder)
    begun = time.time()
    with started(words):
        pass
    found = records(folder / "run")
    assert len(found) == search.trials * len(search.methods)
    return Sample(1, max(file.stat().st_mtime for file, _ in found) - begun)


def theirs(name: str, of: Work, search: Search, folder: Path, *, trials: int) -> Sample:
    """Seconds until the program has ended."""
    begun = time.time()
    with started(peer(name, of, search, folder, trials=trials)):
        pass
    return Sample(1, time.time() - begun)


def compare(of: Work, search: Search, rounds: int, folder: Path) -> Comparison:
    """All programs on the same search."""

    def fresh() -> Path:
        made = folder / str(time.time_ns())
        made.mkdir()
        return made

    every = search.trials * len(search.methods)
    sides: dict[str, Side] = {
        measure.OURS: lambda: ours(of, search, fresh()),
        "script": lambda: theirs("script", of, search, fresh(), trials=every),
        "hp_search": lambda: theirs("hp_search", of, search, fresh(), trials=search.trials),
    }
    notes = {"epochs at most": search.epochs, "examples": len(of.rows("train")), "precision": of.precision}
    case = f"{len(search.methods)} methods, {search.trials} trials each"
    return Comparison(case, "search", measure.in_turns(sides, rounds), AIMS, notes)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    work.add_options(parser)
    measure.add_options(parser, "sweep")
    parser.add_argument("--trials", type=int, help="of each method")
    parser.add_argument("--examples", type=int, help="of one epoch")
    options = parser.parse_args(arguments)
    rounds, trials, examples = (
        options.rounds or (3 if options.full else 1),
        options.trials or (8 if options.full else 3),
        options.examples or (160 if options.full else 32),
    )
    with TemporaryDirectory() as folder:
        of = work.prepare(Path(folder), options, train=examples, validation=16)
        found = [compare(of, Search(options.methods, trials), rounds, Path(folder))]
    measure.tell("A whole search", found, options)


if __name__ == "__main__":
    main()
