"""A verdict in words: plain text, without markup."""

import math
from collections.abc import Iterator, Mapping, Sequence

from search.results import BASELINE, Results, winner
from search.statistics.comparison import Comparison
from search.verdict.costs import AXES
from search.verdict.paired import Paired
from search.verdict.values import MethodVerdict, Pair

FEW_DOCUMENTS = 100
FEWEST_DOCUMENTS = 6
"""With fewer, no assignment of signs is rarer than one in twenty, and no difference can be significant."""


def recommendation(
    axis: str, method: str, best: str, spent: Mapping[str, float], shortfall_margin: tuple[float, float]
) -> str:
    """`spent` is each method's cost; the shortfall and the margin are in points."""
    shortfall, margin = shortfall_margin
    name = AXES.get(axis, axis)
    if method != best:
        share = f"{100 * spent[method] / spent[best]:.2g} %"
        return (
            f"To save on {name}: {method}, at {share} of what {best} takes; it is {shortfall:.2f} points "
            f"lower, and within {margin:g} {_points(margin)} of the best at 95 %."
        )
    if any(cost < spent[best] for cost in spent.values()):
        return (
            f"To save on {name}: nothing cheaper than {best}, the best, is shown to be within {margin:g} "
            f"{_points(margin)} of it."
        )
    return f"To save on {name}: {best}, which also scores highest."


def summary(results: Results, methods: Sequence[MethodVerdict], pairs: Sequence[Pair]) -> str:
    """The best method, its lead over the untrained model, and what it is tied with."""
    if not methods:
        return _so_far(results)
    trained = [method for method in methods if method.method != BASELINE]
    metric = _metric(results)
    if not trained:
        return f"Only the untrained model has been scored on test: {metric} {_measured(methods[0])}."
    best = trained[0]
    lead = f"{best.method} scores highest on test: {metric} {_measured(best)}, {_lead(best, methods, pairs)}."
    return f"{lead} {_ties(best, trained, pairs)}"


def notes(results: Results, paired: Paired, comparison: Comparison) -> Iterator[str]:
    """What weakens the verdict, or is left out of it."""
    missing = [method for method in results.methods if method not in comparison.scores]
    if comparison.scores and missing:
        yield f"Without a score on test, and not compared: {listed(missing)}."
    if paired.left_out:
        yield f"Without scores a document, and left out: {listed(paired.left_out)}."
    if comparison.scores:
        yield from _documents(paired)
        yield from _seeds(comparison)


def _documents(paired: Paired) -> Iterator[str]:
    count = paired.documents
    if not count:
        yield "The runs have no scored document in common: means only, without intervals or comparisons."
    elif count < FEWEST_DOCUMENTS:
        yield f"With only {_count(count, 'document')} no difference between methods can be significant."
    elif count < FEW_DOCUMENTS:
        yield f"Only {count} documents were compared: the intervals are wide."
    if count and paired.dropped:
        yield f"Left out: {_count(paired.dropped, 'document')} without a finite score in every run."


def _seeds(comparison: Comparison) -> Iterator[str]:
    trained = {m: len(s) for m, s in comparison.scores.items() if m not in comparison.fixed}
    single = [method for method, seeds in trained.items() if seeds == 1]
    if trained and not comparison.seeds_df:
        yield (
            "How much the seed alone moves a score is not known: intervals and comparisons cover the choice "
            "of documents only."
        )
    elif single:
        yield f"With one seed, its spread taken from the other methods: {listed(single)}."
    if comparison.seeds_df and min(trained.values()) == 2:
        yield "Two seeds a method tell little about how much a seed moves a score: the intervals are wide."


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _metric(results: Results) -> str:
    return results.sweep.task.metric.replace("rouge", "ROUGE-")


def _measured(method: MethodVerdict) -> str:
    score = method.score
    interval = "" if math.isnan(score.low) else f" (95 % interval {score.low:.2f} to {score.high:.2f})"
    return f"{score.mean:.2f}{interval}"


def _lead(best: MethodVerdict, methods: Sequence[MethodVerdict], pairs: Sequence[Pair]) -> str:
    pair = next((pair for pair in pairs if {pair.better, pair.worse} == {best.method, BASELINE}), None)
    if pair is None:
        return "the untrained model was not scored"
    side = "above" if pair.better == best.method else "below"
    doubt = "" if pair.significant else ", which may be chance"
    interval = "" if math.isnan(pair.low) else f" ({pair.low:.2f} to {pair.high:.2f})"
    return f"{pair.effect:.2f} points{interval} {side} the untrained model{doubt}"


def _ties(best: MethodVerdict, trained: Sequence[MethodVerdict], pairs: Sequence[Pair]) -> str:
    if len(trained) == 1:
        return "No other method has been scored."
    names = {method.method for method in trained}
    mine = [pair for pair in pairs if pair.better == best.method and pair.worse in names]
    tied = [pair.worse for pair in mine if not pair.significant]
    if not tied:
        return "It is better than every other method (Holm-corrected p < 0.05)."
    rest = ", and is better than the others" if len(tied) < len(mine) else ""
    return f"It cannot be told apart from {listed(tied)}{rest} (Holm-corrected p < 0.05)."


def _so_far(results: Results) -> str:
    winners = [best for method in results.methods if (best := winner(results.qualifying(method)))]
    if not winners:
        return "Nothing can be said yet: no trial has been completed."
    best = max(winners, key=lambda record: record.score or 0.0)
    return (
        f"No method has been scored on test yet. On validation the best trial so far is {best.id} with "
        f"{_metric(results)} {best.score:.2f}; but validation scores are there to choose a method's "
        "hyperparameters, not to compare methods."
    )


def _points(count: float) -> str:
    return "point" if count == 1 else "points"


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
