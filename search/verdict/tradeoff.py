"""Fronts and recommendations: quality against each cost."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from search.records import BASELINE
from search.statistics import Comparison, Scores, holm, hypervolume, on_front, shortfall_p_values
from search.verdict.values import Front, Recommendation

SIGNIFICANCE = 0.05
_DRAWS = 2000

Costs = Mapping[str, Mapping[str, float]]
"""Method to axis to cost."""


def fronts(comparison: Comparison, costs: Costs, rng: np.random.Generator) -> Iterator[Front]:
    """Yield a Pareto front for each cost that two methods have and that is not zero for all of them."""
    draws = dict(zip(comparison.scores, comparison.draws(_DRAWS, rng).T, strict=True))
    for axis in _axes(costs):
        spent = {m: costs[m][axis] for m in comparison.methods if m in costs and axis in costs[m]}
        if len(spent) > 1 and max(spent.values()) > 0:
            yield _front(comparison, axis, spent, np.stack([draws[method] for method in spent], axis=1))


def _front(comparison: Comparison, axis: str, spent: Mapping[str, float], draws: Scores) -> Front:
    means, cost = [comparison.mean(method) for method in spent], list(spent.values())
    floor = comparison.mean(BASELINE) if BASELINE in comparison.scores else 0.0
    reference = {"reference_cost": max(cost), "reference_quality": floor}
    members = np.array(list(spent))[on_front(cost, means)]
    low, high = np.quantile(hypervolume(cost, draws, **reference), [0.025, 0.975])
    return Front(
        axis=axis,
        methods=sorted(members.tolist(), key=lambda method: spent[method]),
        chances=_chances(comparison, spent, draws),
        reference_cost=max(cost),
        reference_score=floor,
        hypervolume=float(hypervolume(cost, means, **reference)) / max(cost),
        hypervolume_low=float(low) / max(cost),
        hypervolume_high=float(high) / max(cost),
    )


def _chances(comparison: Comparison, spent: Mapping[str, float], draws: Scores) -> dict[str, float]:
    """Map each comparable method to the share of `draws` (draws, methods) in which it is on the front."""
    names, costs = list(spent), np.array(list(spent.values()))
    compared = [place for place, name in enumerate(names) if name in comparison.comparable]
    shares = on_front(costs[compared], draws[:, compared]).mean(axis=0)
    return {names[place]: float(share) for place, share in zip(compared, shares, strict=True)}


def recommendations(
    comparison: Comparison, costs: Costs, margin: float, tied: Sequence[str] = ()
) -> Iterator[Recommendation]:
    """Yield for each cost the cheapest method that is shown to be within `margin` points of the best.

    Holm's correction over the method with the highest mean and those cheaper than it: one that `is_shown`
    is farther from the best in truth than the margin in at most one sweep of twenty, however many were
    tried. Where none cheaper is shown, the one with the highest mean is named, shown or not: it may be a
    worse one whose seeds scatter. Nothing is recommended where fewer than two methods can be compared.
    `tied` are those that the one with the highest mean cannot be told apart from.
    """
    trained = [method for method in comparison.comparable if method in costs]
    if len(trained) < 2:
        return
    p_values = shortfall_p_values(comparison, margin)
    for axis in _axes({method: costs[method] for method in trained[:1]}):
        spent = {method: costs[method][axis] for method in trained if axis in costs[method]}
        best = trained[0]
        cheaper = [method for method in spent if spent[method] < spent[best]]
        tried = [*cheaper, best]
        adjusted = holm([p_values[method] for method in tried])
        shown = [m for m, p in zip(tried, adjusted, strict=True) if p < SIGNIFICANCE]
        chosen = min(shown, key=lambda method: spent[method], default=best)
        shortfall = comparison.mean(best) - comparison.mean(chosen)
        yield Recommendation(
            axis=axis,
            method=chosen,
            best=best,
            cost=spent[chosen],
            best_cost=spent[best],
            margin=margin,
            shortfall=shortfall,
            is_shown=chosen in shown,
            tied=[method for method in tied if method != chosen],
            is_cheapest=spent[chosen] == min(spent.values()),
        )


def _axes(costs: Costs) -> list[str]:
    return list(dict.fromkeys(axis for spent in costs.values() for axis in spent))
