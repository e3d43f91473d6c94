"""Do the verdict's intervals cover, and are its winners true? Sweeps with known means, judged many times.

    python -m benchmarks.statistics [--sweeps 1000] [--json statistics.json]

What noise is planted, and why so much: `benchmarks.planted`.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.planted import Scenario, Shape, plant, plant_names
from search.statistics.comparison import Comparison, Scores
from search.statistics.multiplicity import holm
from search.statistics.pareto import hypervolume
from search.verdict.judge import compare, lead
from search.verdict.tradeoff import SIGNIFICANCE, fronts, recommendations

_RESAMPLES = 1000


def coverage(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    """What share of the intervals of means, and of differences, hold the truth.

    Methods whose seeds move them differently are told apart by that, as `method 0.8` and `pair 0.8/0.2`.
    """
    comparison = Comparison(plant(scenario, rng))
    truth = dict(zip(plant_names(scenario), scenario.means, strict=True))
    spread = dict(zip(truth, scenario.spreads, strict=True))
    held: dict[str, list[float]] = {}
    for name, mean in truth.items():
        limits = comparison.estimate(name).interval()
        held.setdefault(f"method {spread[name]:g}", []).append(_holds(limits, mean))
    for one, other in combinations(truth, 2):
        limits = comparison.difference(one, other).interval()
        kind = f"pair {spread[one]:g}/{spread[other]:g}"
        held.setdefault(kind, []).append(_holds(limits, truth[one] - truth[other]))
    return {kind: float(np.mean(found)) for kind, found in held.items()}


def rivals(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    """Whether a mean's interval holds the truth: ours, a nested bootstrap's, that of documents alone."""
    scores, truth = plant(scenario, rng), scenario.means[0]
    comparison, first = Comparison(scores), plant_names(scenario)[0]
    alone = comparison.by_document[first]
    half = 1.96 * float(alone.std(ddof=1)) / len(alone) ** 0.5
    return {
        "verdict": _holds(comparison.estimate(first).interval(), truth),
        "nested bootstrap": _holds(_nested_bootstrap(scores[first], rng), truth),
        "documents only": _holds((alone.mean() - half, alone.mean() + half), truth),
    }


def front_coverage(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    """Whether the interval of the hypervolume holds the truth, each method cheaper than the one before it."""
    costs = {name: {"cost": 1.0 + place} for place, name in enumerate(reversed(plant_names(scenario)))}
    (front,) = fronts(Comparison(plant(scenario, rng)), costs, rng)
    spent = [costs[name]["cost"] for name in plant_names(scenario)]
    truth = hypervolume(spent, scenario.means, reference_cost=max(spent), reference_quality=0.0) / max(spent)
    return {"hypervolume": _holds((front.hypervolume_low, front.hypervolume_high), float(truth))}


def _holds(limits: tuple[float, float], truth: float) -> float:
    return float(limits[0] <= truth <= limits[1])


def _nested_bootstrap(scores: Scores, rng: np.random.Generator) -> tuple[float, float]:
    """The plain percentile interval with both seeds and documents drawn with replacement."""
    seeds, documents = scores.shape
    chosen_seeds = rng.multinomial(seeds, np.full(seeds, 1 / seeds), _RESAMPLES) / seeds
    chosen = rng.multinomial(documents, np.full(documents, 1 / documents), _RESAMPLES) / documents
    low, high = np.quantile(((chosen_seeds @ scores) * chosen).sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def winners(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    """Whether a winner or any pair was called wrongly; of what differs in truth, the share that was found.

    A winner is better than every other method; "winner found" only where one is, beside it how often after
    Holm's correction over all pairs, which is what it takes no part in.
    """
    truth = dict(zip(plant_names(scenario), scenario.means, strict=True))
    pairs = compare(Comparison(plant(scenario, rng)), rng, resamples=_RESAMPLES - 1)
    best, highest = lead(pairs), [name for name, mean in truth.items() if mean == max(truth.values())]
    shown = best is not None and best.significant
    real = {frozenset(pair) for pair in combinations(truth, 2) if truth[pair[0]] != truth[pair[1]]}
    found = [p for p in pairs if p.significant and truth[p.better] > truth[p.worse]]
    figures = {
        "false winner": float(shown and highest != [best.best]),
        "false pair": float(len(found) < sum(pair.significant for pair in pairs)),
    }
    if len(highest) == 1:
        figures["winner found"] = float(shown and highest == [best.best])
        others = [p for p in pairs if best is not None and p.better == best.best]
        corrected = bool(others) and max(holm([pair.p for pair in pairs])[: len(others)]) < SIGNIFICANCE
        figures["after Holm"] = float(corrected and highest == [others[0].better])
    return figures | ({"pairs found": len(found) / len(real)} if real else {})


def single_seed(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    """Whether any pair of equal methods is called apart: by the verdict, and by documents alone."""
    scores = plant(scenario, rng)
    judged = {"verdict": Comparison(scores), "documents alone": Comparison(scores, fixed=scores)}
    pairs = {name: compare(one, rng, resamples=_RESAMPLES - 1) for name, one in judged.items()}
    return {name: float(any(pair.significant for pair in found)) for name, found in pairs.items()}


def recommended(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    """Whether the method that is named is a point or more below the best in truth.

    `wrong`: of what is said to be shown; `named unshown`: that nothing is said to be shown, of which
    `unshown and worse`. `cheapest`: the cheapest method that is not worse is shown to be it. The first method
    costs most, the last one least.
    """
    names = plant_names(scenario)
    truth = dict(zip(names, scenario.means, strict=True))
    costs = {name: {"cost": float(len(names) - place)} for place, name in enumerate(names)}
    (advice,) = recommendations(Comparison(plant(scenario, rng)), costs, margin=1.0)
    good = [name for name in names if truth[name] > max(scenario.means) - 1]
    return {
        "wrong": float(advice.is_shown and advice.method not in good),
        "cheapest": float(advice.is_shown and advice.method == good[-1]),
        "named unshown": float(not advice.is_shown),
        "unshown and worse": float(not advice.is_shown and advice.method not in good),
    }


def _equal(methods: int) -> tuple[float, ...]:
    return (35.0,) * methods


def _led(methods: int, gap: float, leaders: int = 1) -> tuple[float, ...]:
    return (*(35.0 + gap,) * leaders, *_equal(methods - leaders))


UNLIKE: tuple[tuple[float, ...], ...] = (
    (0.8, 0.8, 0.2, 0.2),
    (1.2, 0.2),
    (5.0, 0.1),
    (1.2, 0.2, 0.2),
    (1.2, 0.2, 0.2, 0.2),
    (2.0, 0.3, 0.3, 0.3),
    (1.2, *(0.2,) * 7),
)
"""Sweeps with methods whose seeds scatter beside others whose seeds do not."""
SHAPES: tuple[Shape, ...] = ("heavy-tailed", "zero-inflated")

Judge = Callable[[Scenario, np.random.Generator], Mapping[str, float]]
STUDIES: dict[str, tuple[Judge, list[Scenario]]] = {
    "Coverage of 95 % intervals, methods alike": (
        coverage,
        [Scenario(_equal(methods), seeds) for methods in (2, 3, 4, 8) for seeds in (2, 3, 5)]
        + [Scenario(_equal(4), seeds, 500, sd) for seeds in (2, 3, 5) for sd in (0.0, 0.8)]
        + [Scenario(_equal(4), 3, documents) for documents in (20, 100)],
    ),
    "Coverage of 95 % intervals, a method scatters": (
        coverage,
        [Scenario(_equal(len(sds)), seeds, 500, sds) for sds in UNLIKE for seeds in (2, 3, 5)],
    ),
    "Coverage of 95 % intervals, other scores": (
        coverage,
        [
            Scenario(_equal(4), seeds, documents, shape=shape)
            for shape in SHAPES
            for seeds in (2, 3, 5)
            for documents in (100, 500)
        ],
    ),
    "Coverage of 95 % intervals by others": (
        rivals,
        [Scenario(_equal(4), 3, 500, sd) for sd in (0.3, 0.8)],
    ),
    "Coverage of the hypervolume's 95 % interval": (
        front_coverage,
        [Scenario(means, seeds) for means in ((35.0, 34.0, 33.0, 32.0), _equal(4)) for seeds in (2, 3)],
    ),
    "Equal methods": (
        winners,
        [
            *(Scenario(_equal(methods), 3, 500, sd) for methods in (2, 3, 4, 8) for sd in (0.3, 0.8)),
            *(Scenario(_equal(methods), 2) for methods in (2, 4, 8)),
            *(Scenario(_equal(len(sds)), 3, 500, sds) for sds in UNLIKE),
            *(Scenario(_equal(4), shape=shape) for shape in SHAPES),
            Scenario(_equal(4), 3, 20),
            *(Scenario(_equal(4), (1, 3, 3, 3), 500, sd) for sd in (0.3, 0.8)),
        ],
    ),
    "Two methods tied on top, four points above the others": (
        winners,
        [
            *(Scenario(_led(methods, 4.0, 2), 3, 500, sd) for methods in (3, 4, 8) for sd in (0.3, 0.8)),
            *(Scenario(_led(4, 4.0, 2), 3, 500, sds) for sds in ((0.8, 0.2, 0.2, 0.2), (0.8, 0.8, 0.2, 0.2))),
            *(Scenario(_led(4, 4.0, 2), shape=shape) for shape in SHAPES),
        ],
    ),
    "Equal methods of one seed: any pair called apart": (
        single_seed,
        [Scenario(_equal(methods), 1, 500, sd) for methods in (2, 4, 8) for sd in (0.3, 0.5, 0.8)],
    ),
    "One method leads by two points": (
        winners,
        [Scenario(_led(methods, 2.0), 3, 500, sd) for methods in (2, 3, 4, 8) for sd in (0.3, 0.5)]
        + [Scenario(_led(4, 2.0), seeds) for seeds in (2, 5)],
    ),
    "Recommendation at a margin of one point": (
        recommended,
        [
            *(Scenario(_led(methods, 1.0)) for methods in (2, 4, 8)),
            *(Scenario(_led(4, 1.0), 3, 500, (0.3, 0.3, 0.3, sd)) for sd in (1.0, 2.0)),
            *(Scenario(_equal(methods), 3, 500, 0.2) for methods in (2, 4, 8)),
            *(Scenario(_equal(methods), 5, 500, 0.2) for methods in (2, 4, 8)),
        ],
    ),
}


def measure(judge: Judge, scenario: Scenario, sweeps: int) -> dict[str, float]:
    """The mean of each of the judge's figures over independent sweeps, in percent."""
    rows = [judge(scenario, np.random.default_rng([seed, 5])) for seed in range(sweeps)]
    return {name: 100 * float(np.mean([row[name] for row in rows])) for name in rows[0]}


def studies(sweeps: int) -> Iterator[dict[str, Any]]:
    for title, (judge, scenarios) in STUDIES.items():
        for scenario in scenarios:
            start = perf_counter()
            yield {
                "study": title,
                "scenario": scenario.describe(),
                "sweeps": sweeps,
                "percent": measure(judge, scenario, sweeps),
                "seconds": round(perf_counter() - start, 1),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description="Planted sweeps, judged many times.")
    parser.add_argument("--sweeps", type=int, default=1000, help="simulated sweeps a scenario")
    parser.add_argument("--json", type=Path, default=Path("statistics.json"), help="file of the figures")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for row in studies(arguments.sweeps):
        if not rows or rows[-1]["study"] != row["study"]:
            sys.stdout.write(f"\n{row['study']}, percent of {row['sweeps']} sweeps\n")
        figures = "  ".join(f"{name} {value:5.1f}" for name, value in row["percent"].items())
        sys.stdout.write(f"{row['scenario']:<62} {figures}\n")
        sys.stdout.flush()
        rows.append(row)
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
