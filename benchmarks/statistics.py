"""Do the verdict's intervals cover, and are its winners true? Sweeps with known means, judged many times.

    python -m benchmarks.statistics [--sweeps 1000] [--json statistics.json]

The noise is that of ROUGE-L a dialogue, in points: documents differ by 7, methods react to a document each
in its own way by 4, and 6 are left between two seeds' outputs for one document. Two runs of different
methods then differ by 10 points a document, as measured for full fine-tuning, LoRA and prompt tuning on
DialogSum (8 to 10). All of it is skewed as ROUGE is. Seeds move a method's mean by 0.3 unless said.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from search.statistics.comparison import Comparison, Scores
from search.statistics.pareto import hypervolume
from search.verdict.judge import compare, lead
from search.verdict.tradeoff import fronts, recommendations

DOCUMENT_SD, INTERACTION_SD, REST_SD, SEED_SD = 7.0, 4.0, 6.0, 0.3
_SKEW_SHAPE = 4.0
"""A gamma distribution of this shape has the skewness 1."""
_RESAMPLES = 1000


@dataclass(frozen=True)
class Scenario:
    """What is planted: the methods' true means, and how much a seed moves a mean, in points."""

    means: tuple[float, ...]
    seeds: tuple[int, ...] | int = 3
    documents: int = 500
    seed_sds: tuple[float, ...] | float = SEED_SD

    def describe(self) -> str:
        seeds, sds = (
            "/".join(map(str, each)) if isinstance(each, tuple) else each
            for each in (self.seeds, self.seed_sds)
        )
        return f"{len(self.means)} methods, {seeds} seeds, {self.documents} documents, seed sd {sds}"


def plant(scenario: Scenario, rng: np.random.Generator) -> dict[str, Scores]:
    """One sweep's scores: method to points, (seeds, documents)."""
    seeds = np.broadcast_to(np.asarray(scenario.seeds), len(scenario.means))
    shape = (len(seeds), int(seeds.max()), scenario.documents)
    scores = np.reshape(scenario.means, (-1, 1, 1)) + DOCUMENT_SD * _skewed((1, 1, shape[2]), rng)
    scores = scores + INTERACTION_SD * _skewed((shape[0], 1, shape[2]), rng) + REST_SD * _skewed(shape, rng)
    sds = np.broadcast_to(np.asarray(scenario.seed_sds), shape[:1])
    scores += sds[:, None, None] * rng.standard_normal((*shape[:2], 1))
    runs = zip(scores, seeds, strict=True)
    return {f"method{place}": values[:finished] for place, (values, finished) in enumerate(runs)}


def _skewed(shape: tuple[int, ...], rng: np.random.Generator) -> Scores:
    """Mean 0, standard deviation 1, skewness 1."""
    drawn: Scores = (rng.standard_gamma(_SKEW_SHAPE, shape) - _SKEW_SHAPE) / _SKEW_SHAPE**0.5
    return drawn


def coverage(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    """Whether the first method's interval, and that of its lead on the second, hold the truth.

    Beside it what others would have said: a nested bootstrap, and documents alone.
    """
    scores = plant(scenario, rng)
    comparison, truth = Comparison(scores), np.asarray(scenario.means)
    first, second = list(scores)[:2]
    alone = comparison.by_document[first]
    half = 1.96 * float(alone.std(ddof=1)) / len(alone) ** 0.5
    return {
        "method": _holds(comparison.estimate(first).interval(), truth[0]),
        "pair": _holds(comparison.difference(first, second).interval(), truth[0] - truth[1]),
        "nested bootstrap": _holds(_nested_bootstrap(scores[first], rng), truth[0]),
        "documents only": _holds((alone.mean() - half, alone.mean() + half), truth[0]),
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

    A winner is better than every other method; "winner found" only where one is.
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
    return figures | ({"pairs found": len(found) / len(real)} if real else {})


def single_seed(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    """Whether any pair of equal methods is called apart: by the verdict, and by documents alone."""
    scores = plant(scenario, rng)
    judged = {"verdict": Comparison(scores), "documents alone": Comparison(scores, fixed=scores)}
    return {name: float(any(p.significant for p in compare(one, rng))) for name, one in judged.items()}


def plant_names(scenario: Scenario) -> list[str]:
    return [f"method{place}" for place in range(len(scenario.means))]


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


def _led(methods: int, gap: float) -> tuple[float, ...]:
    return (35.0 + gap, *_equal(methods - 1))


UNLIKE = (0.8, 0.8, 0.2, 0.2)
"""Two methods whose seeds scatter, two whose seeds do not."""

Judge = Callable[[Scenario, np.random.Generator], Mapping[str, float]]
STUDIES: dict[str, tuple[Judge, list[Scenario]]] = {
    "Coverage of 95 % intervals": (
        coverage,
        [
            Scenario(_equal(4), seeds, documents, sd)
            for seeds in (2, 3, 5)
            for documents in (20, 100, 500)
            for sd in (0.0, 0.3, 0.8)
        ]
        + [Scenario(_equal(4), seeds, 500, UNLIKE) for seeds in (2, 3, 5)],
    ),
    "Coverage of the hypervolume's 95 % interval": (
        front_coverage,
        [Scenario(means, seeds) for means in ((35.0, 34.0, 33.0, 32.0), _equal(4)) for seeds in (2, 3)],
    ),
    "Equal methods: any false winner": (
        winners,
        [
            Scenario(_equal(methods), seeds, 500, sd)
            for methods in (2, 4, 8)
            for seeds in (2, 3)
            for sd in (0.0, 0.3, 0.8)
        ]
        + [Scenario(_equal(4), 3, 500, UNLIKE), Scenario(_equal(4), 3, 20)]
        + [Scenario(_equal(4), (1, 3, 3, 3), 500, sd) for sd in (0.3, 0.8)],
    ),
    "Equal methods of one seed: any pair called apart": (
        single_seed,
        [Scenario(_equal(methods), 1, 500, sd) for methods in (2, 4, 8) for sd in (0.3, 0.5, 0.8)],
    ),
    "One method leads by two points": (
        winners,
        [Scenario(_led(methods, 2.0), 3, 500, sd) for methods in (2, 3, 4, 8) for sd in (0.2, 0.3, 0.5)]
        + [Scenario(_led(4, 2.0), seeds) for seeds in (2, 5)],
    ),
    "Recommendation at a margin of one point": (
        recommended,
        [
            *(Scenario(_led(methods, 1.0)) for methods in (2, 4, 8)),
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
