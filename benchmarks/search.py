"""How far a search stays below the best there is, and what it spends, on oracles of learning curves.

    python -m benchmarks.search                                   a quick look, two minutes
    python -m benchmarks.search --full --processes 2              50 seeds; 8, 16, 32 and 64 trials
    python -m benchmarks.search --lcbench FOLDER [--proof]        LCBench's surrogate in place of the oracles
    python -m benchmarks.search --record runs/my-sweep --curves my-curves.json

Nothing is trained. Regret is in points: how far the true score of the winner, which is chosen as a sweep
chooses it, is below the best of the space. The cost is in full trainings. `reached`: how many times less than
random search without stopping, of 16 trials, a search spends until its winner is truly as good (median over
the seeds), and in how many of the seeds it ever is.
"""

import argparse
import itertools
import math
import multiprocessing
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import measure
from benchmarks.searches import SEARCHES
from benchmarks.simulation import (
    Oracle,
    SimulatedSweep,
    crossing,
    fitted,
    lcbench,
    read,
    recorded,
    simulate,
    write,
)
from search.records.results import load_results, winner
from trainables.errors import InputError

CURVES = Path(__file__).parent / "curves" / "t5-dialog-mini.json"
BASELINE, BASELINE_TRIALS = "random", 16
QUICK, FULL = {"seeds": 5, "trials": [8, 16]}, {"seeds": 50, "trials": [8, 16, 32, 64]}


@dataclass(frozen=True)
class Case:
    """One simulated sweep."""

    oracle: str
    workers: int
    trials: int
    search: str
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    regret: float
    spent: float
    """Full trainings."""
    seconds_a_proposal: float
    """Of the processor."""
    way: list[tuple[float, float]]
    """Full trainings and true regret whenever the winner so far is another."""


def main() -> None:
    options = _options()
    if options.record:
        write(options.curves, recorded(load_results(options.record)))
        return
    try:
        oracles = lcbench(options.lcbench, proof=options.proof) if options.lcbench else _own(options.curves)
    except InputError as error:
        raise SystemExit(str(error)) from error
    chosen = {oracle.name: oracle for oracle in oracles if options.only in oracle.name}
    figures: list[dict[str, Any]] = []
    for name in chosen:
        parts = (options.workers, options.trials, options.searches, range(options.seeds))
        cases = [Case(name, *rest) for rest in itertools.product(*parts)]
        outcomes = run(chosen, cases, options.processes)
        found = [{**asdict(case), **asdict(one)} for case, one in zip(cases, outcomes, strict=True)]
        sys.stdout.write(table(pd.DataFrame(found)))
        sys.stdout.flush()
        figures += found
    measure.write(options, {"outcomes": figures})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    measure.add_options(parser, "search")
    parser.add_argument("--curves", type=Path, default=CURVES)
    parser.add_argument("--record", type=Path, help="a run folder: write its curves to --curves, and end")
    parser.add_argument("--lcbench", type=Path, help="a folder with YAHPO Gym's files of LCBench")
    parser.add_argument("--proof", action="store_true", help="LCBench's tasks that nothing was developed on")
    parser.add_argument("--only", default="", help="oracles with this in their name")
    parser.add_argument("--searches", nargs="+", choices=SEARCHES, default=list(SEARCHES))
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--trials", type=int, nargs="+")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8], help="trials at a time")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    size = FULL if options.full else QUICK
    options.seeds, options.trials = options.seeds or size["seeds"], options.trials or size["trials"]
    return options


def _own(curves: Path) -> list[Oracle]:
    return [*fitted(read(curves)), crossing("full"), crossing("lora")]


_ORACLES: dict[str, Oracle] = {}
"""Of this run; processes that are forked find them here."""


def run(oracles: dict[str, Oracle], cases: Sequence[Case], processes: int) -> list[Outcome]:
    """The outcomes of the cases, in their order."""
    _ORACLES.update(oracles)
    if processes == 1:
        return [outcome(case) for case in cases]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return pool.map(outcome, cases, chunksize=1)


def outcome(case: Case) -> Outcome:
    """Simulate one sweep of one method."""
    oracle, compared = _ORACLES[case.oracle], SEARCHES[case.search]
    settings = {**compared.settings, "trials_per_method": case.trials}
    sweep = SimulatedSweep({"method": oracle}, case.seed, study=compared.study, **settings)
    way, spent, began = [], 0.0, time.process_time()
    for told in simulate(sweep, case.workers):
        spent = told.spent["method"]
        best = winner(sweep.store.search("method")) if told.is_completed else None
        if best and (not way or way[-1][0] != best.id):
            way.append((best.id, spent, oracle.best - oracle.final(best.hyperparameters)))
    took = (time.process_time() - began) / case.trials
    return Outcome(way[-1][2], spent, took, [(spent, regret) for _, spent, regret in way])


def table(outcomes: pd.DataFrame) -> str:
    """One block an oracle and number of workers, a line a search: mean regret and cost by trials."""
    lines = []
    for (oracle, workers), block in outcomes.groupby(["oracle", "workers"], sort=False):
        sizes = sorted({*block["trials"].tolist()})
        lines.append(
            f"\n{oracle}, {workers} at a time: regret ± standard error (full trainings) after {sizes} trials"
        )
        for search, mine in block.groupby("search", sort=False):
            cells = "  ".join(_cell(mine[mine["trials"] == size]) for size in sizes)
            largest = mine[mine["trials"] == sizes[-1]]
            milliseconds = 1000 * largest["seconds_a_proposal"].median()
            lines.append(
                f"  {search:<20}{cells}  {_reached(largest, block)}  {milliseconds:4.0f} ms a proposal"
            )
    return "\n".join(lines) + "\n"


def _cell(mine: pd.DataFrame) -> str:
    regret = mine["regret"]
    return f"{regret.mean():6.2f} ±{regret.sem():.2f} ({mine['spent'].mean():4.1f})"


def _reached(largest: pd.DataFrame, block: pd.DataFrame) -> str:
    """How many times less than the baseline is spent until the winner is as good, and how often it is."""
    of_baseline = block[(block["search"] == BASELINE) & (block["trials"] == BASELINE_TRIALS)]
    if of_baseline.empty:
        return ""
    targets = of_baseline.set_index("seed")["regret"]
    spent = [
        next((spent for spent, regret in way if regret <= targets[seed]), math.inf)
        for seed, way in zip(largest["seed"], largest["way"], strict=True)
    ]
    times = of_baseline["spent"].mean() / float(np.median(spent))
    return f"reached {times:4.1f} times sooner, {np.mean(np.isfinite(spent)):4.0%}"


if __name__ == "__main__":
    main()
