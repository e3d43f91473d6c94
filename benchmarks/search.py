"""How many device seconds a search takes to what random search finds, replayed on recorded learning curves.

    python -m benchmarks.search [--curves benchmarks/curves/t5-dialog-mini.json] [--seeds 20] [--workers 4]
    python -m benchmarks.search --record runs/my-sweep --curves my-curves.json

Nothing is trained. The space is the recorded table: a proposal is moved to the nearest recorded point of its
method that the search has not had yet. With each seed, random search without early stopping has `--trials`
trials of each method; the best scores that it finds are the targets of that seed for all searches, its own
included. What counts is every device second spent until a trial at the full budget reaches them.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from benchmarks import measure
from benchmarks.searches import Foresight, RandomSearch, StockSearch, StockTogether
from benchmarks.simulation import Curves, Search, SimulatedSweep, Told, read, recorded, simulate, write
from search.records.results import load_results
from trainables.errors import InputError

CURVES = Path(__file__).parent / "curves" / "t5-dialog-mini.json"
EVERY, BEST = "every method", "best of all"
RANDOM = "random"
SEARCHES: dict[str, Callable[[Curves, int], Search]] = {
    "tuneoff": SimulatedSweep,
    RANDOM: lambda curves, seed: RandomSearch(curves, seed, stops=False),
    "random + ASHA": lambda curves, seed: RandomSearch(curves, seed, stops=True),
    "stock, one a method": StockSearch,
    "stock, one for all": StockTogether,
    "foresight": Foresight,
}
AIM = 4.0
RESAMPLES = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    measure.add_options(parser, "search")
    parser.add_argument("--curves", type=Path, default=CURVES)
    parser.add_argument("--record", type=Path, help="a run folder: write its curves to --curves, and end")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=4, help="trials at a time")
    parser.add_argument(
        "--trials", type=int, default=16, help="of each method, in which random search sets the target"
    )
    parser.add_argument("--within", type=float, default=0.0, help="points by which the target may be missed")
    options = parser.parse_args()
    if options.record:
        write(options.curves, recorded(load_results(options.record)))
        return
    try:
        curves = read(options.curves)
    except InputError as error:
        raise SystemExit(str(error)) from error
    seconds = replay(curves, options)
    sys.stdout.write(table(seconds, options))
    measure.write(options, {"device_seconds": seconds, "aim": AIM})


Seconds = dict[str, dict[str, list[float]]]
"""Search, then goal, to the device seconds until it was reached with each seed; infinite where never."""


def replay(curves: Curves, options: argparse.Namespace) -> Seconds:
    """Every search with every seed, against the targets of that seed."""
    goals = [*curves.methods, EVERY, BEST]
    seconds: Seconds = {name: {goal: [] for goal in goals} for name in SEARCHES}
    for seed in range(options.seeds):
        found = targets(simulate(RandomSearch(curves, seed, stops=False), options.workers), options.trials)
        aimed = {method: score - options.within for method, score in found.items()}
        for name, search in SEARCHES.items():
            reached = until(simulate(search(curves, seed), options.workers), aimed)
            for goal in goals:
                seconds[name][goal].append(reached[goal])
    return seconds


def targets(told: Iterable[Told], trials: int) -> dict[str, float]:
    """The best score of each method in its first `trials` trials, of those at their full budget."""
    best: dict[str, float] = {}
    begun: dict[str, set[str]] = {}
    for one in told:
        mine = begun.setdefault(one.method, set())
        if len(mine) < trials:
            mine.add(one.trial)
        if one.trial in mine and one.is_completed:
            best[one.method] = max(best.get(one.method, -np.inf), one.score)
    return best


def until(told: Iterable[Told], aimed: dict[str, float]) -> dict[str, float]:
    """Device seconds until each goal is reached.

    For a method only its own count; for `every method`, and for the best target of all, which any method may
    reach, those of all methods.
    """
    goals = [*aimed, EVERY, BEST]
    reached = dict.fromkeys(goals, np.inf)
    for one in told:
        if not one.is_completed:
            continue
        if one.score >= aimed[one.method]:
            reached[one.method] = min(reached[one.method], one.spent[one.method])
            if all(np.isfinite(reached[method]) for method in aimed):
                reached[EVERY] = min(reached[EVERY], sum(one.spent.values()))
        if one.score >= max(aimed.values()):
            reached[BEST] = min(reached[BEST], sum(one.spent.values()))
    return reached


def ratio(random: Iterable[float], other: Iterable[float]) -> tuple[float, float, float]:
    """How many times the median seconds of another search random search takes, with a 95 % interval.

    Seeds are drawn again in pairs (percentile bootstrap).
    """
    pairs = np.array([random, other], dtype=float)
    drawn = np.random.default_rng(0).integers(pairs.shape[1], size=(RESAMPLES, pairs.shape[1]))
    medians = np.median(pairs[:, drawn], axis=2)
    low, high = np.quantile(medians[0] / medians[1], [0.025, 0.975])
    return float(np.median(pairs[0]) / np.median(pairs[1])), float(low), float(high)


def table(seconds: Seconds, options: argparse.Namespace) -> str:
    lines = [
        f"{options.curves.stem}: device seconds to the best of {options.trials} random trials a method, "
        f"{options.seeds} seeds, {options.workers} at a time; random / search, 95 % interval (aim {AIM:g})"
    ]
    for goal in seconds[RANDOM]:
        lines.append(f"\n{goal}")
        for name, by_goal in seconds.items():
            spent = by_goal[goal]
            times, low, high = ratio(seconds[RANDOM][goal], spent)
            reached = sum(np.isfinite(spent))
            lines.append(
                f"  {name:<20} median {np.median(spent):9.0f} s   {times:5.2f} [{low:.2f}, {high:.2f}]"
                f"   reached {reached} of {len(spent)}"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
