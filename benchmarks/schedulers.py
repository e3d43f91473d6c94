"""What each scheduler spends and finds, simulated on recorded learning curves.

    python -m benchmarks.schedulers [--curves FILE] [--trials 5 8 16] [--workers 1 8] [--seeds 50]

tuneoff's own searcher, studies, schedulers and records run on the curves; nothing is trained. A proposal is
moved to the nearest point that was recorded, with its losses, which the oracles of benchmarks.search lack.
Cost: device seconds of a method's search, in full trainings of it. Regret: how many points the winner's score
at the full budget is below the best of the method's table. Compare at equal trials, and at equal cost.
"""

import argparse
import sys
from itertools import product
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from benchmarks import measure
from benchmarks.simulation import Curves, MethodCurves, Recorded, SimulatedSweep, read, simulate, tabular
from search.records.results import winner

CURVES = Path(__file__).parent / "curves" / "t5-dialog-mini.json"
SCHEDULERS: dict[str, dict[str, str]] = {
    "promote": {"scheduler": "promote"},
    "by score": {"scheduler": "promote", "promote_by": "score"},
    "asha": {"scheduler": "asha"},
    "none": {"scheduler": "none"},
}
HEADER = (
    f"{'sampler':<8} {'method':<16} {'workers':>7} {'trials':>6} {'scheduler':<9} {'cost':>6} {'wall':>6} "
    f"{'regret':>7} {'+-':>5} {'missed':>7}\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    measure.add_options(parser, "schedulers")
    parser.add_argument("--curves", type=Path, default=CURVES)
    parser.add_argument("--trials", type=int, nargs="+", default=[5, 8, 16], help="of each method")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8], help="trials at a time")
    parser.add_argument("--samplers", nargs="+", default=["tpe", "random"])
    parser.add_argument("--schedulers", nargs="+", default=[*SCHEDULERS], choices=SCHEDULERS)
    parser.add_argument("--seeds", type=int, default=50)
    options = parser.parse_args()
    curves, rows = read(options.curves), []
    sys.stdout.write(HEADER)
    for sampler, workers, trials, scheduler in product(
        options.samplers, options.workers, options.trials, options.schedulers
    ):
        search = {"sampler": sampler, "trials_per_method": trials, **SCHEDULERS[scheduler]}
        rows += (new := measured(curves, search, workers, range(options.seeds)))
        sys.stdout.writelines(line(row | {"scheduler": scheduler}) for row in new)
        sys.stdout.flush()
    measure.write(options, {"rows": rows})


Row = dict[str, Any]


def measured(curves: Curves, search: dict[str, Any], workers: int, seeds: range) -> list[Row]:
    """A row a method: means over the seeds."""
    ends = [ended(curves, seed, workers, search) for seed in seeds]
    rows = []
    for method in curves.methods:
        regrets = [end[method]["regret"] for end in ends]
        rows.append(
            search
            | {
                "workers": workers,
                "method": method,
                "cost": fmean(end[method]["cost"] for end in ends),
                "wall": fmean(end[method]["wall"] for end in ends),
                "regret": fmean(regrets),
                "error": float(np.std(regrets) / len(regrets) ** 0.5),
                "missed": fmean(end[method]["missed"] for end in ends),
            }
        )
    return rows


def ended(curves: Curves, seed: int, workers: int, search: dict[str, Any]) -> dict[str, dict[str, float]]:
    """What one search came to, by method; `missed`: of the points that it tried another one was better."""
    learners = {method: Recorded(curves, method) for method in curves.methods}
    sweep = SimulatedSweep(learners, seed, study=tabular(curves), **search)
    *_, last = simulate(sweep, workers)
    found = {}
    for method, known in curves.methods.items():
        trials = sweep.store.search(method)
        best = winner(trials)
        score = best.score if best and best.score is not None else 0.0
        tried = max(curve.scores[-1] or 0.0 for curve in sweep.curves_of(trials))
        found[method] = {
            "cost": last.spent[method] / full_seconds(known),
            "wall": last.seconds / full_seconds(known),
            "regret": max(curve.scores[-1] or 0.0 for curve in known.curves) - score,
            "missed": float(score < tried),
        }
    return found


def full_seconds(known: MethodCurves) -> float:
    return median(curve.seconds[-1] for curve in known.curves)


def line(row: Row) -> str:
    return (
        f"{row['sampler']:<8} {row['method']:<16} {row['workers']:7} {row['trials_per_method']:6} "
        f"{row['scheduler']:<9} {row['cost']:6.2f} {row['wall']:6.2f} {row['regret']:7.2f} "
        f"{row['error']:5.2f} {100 * row['missed']:6.0f}%\n"
    )


if __name__ == "__main__":
    main()
