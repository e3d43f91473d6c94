"""What weakens a verdict, in words: plain text, without markup."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np

from search.records import BASELINE, Results
from search.statistics import Comparison
from search.verdict.paired import Paired
from search.verdict.values import Copy, MethodVerdict, Quoted
from search.verdict.words import counted, listed, score_name
from trainables.metrics import get

FEW_DOCUMENTS = 100
FEWEST_DOCUMENTS = 6
"""With fewer, no assignment of signs is rarer than one in twenty, and no difference can be significant."""
_MANY = 0.05
_KINDS = {
    "empty": "are empty",
    "copied": "are copied from the source",
    "repeated": "repeat themselves without end",
    "capped": "are cut by the cap",
    "same": "are one text for many sources",
}


def notes(
    results: Results,
    paired: Paired,
    comparison: Comparison,
    methods: Sequence[MethodVerdict],
    outside: Sequence[Copy | Quoted],
) -> Iterator[str]:
    """Yield what weakens the verdict or was left out of it, a sentence each; `outside` is in no test."""
    quoted = [one.method for one in outside if isinstance(one, Quoted)]
    if comparison.scores and (without := missing(results, comparison)):
        yield f"Without a score on test, and not compared: {listed(without)}."
    if comparison.scores and quoted:
        yield (
            f"Only scores of the whole corpus were imported of {listed(quoted)}: without predictions there "
            "is no score a document, and nothing can be tested."
        )
    if paired.left_out:
        yield f"Without scores a document, and left out: {listed(paired.left_out)}."
    if comparison.scores:
        yield from _documents(paired)
        yield from _seeds(comparison)
        yield from _disagreement(results.sweep.task.metric, methods)
        yield from _cut(methods)
        yield from _below_copies(
            results.sweep.task.metric, methods, [one for one in outside if isinstance(one, Copy)]
        )
        yield from _degenerate(methods)


def missing(results: Results, comparison: Comparison) -> list[str]:
    """List the methods without a score on test."""
    scored = {*comparison.scores, *results.finals.loc[results.finals["origin"] == "quoted", "method"]}
    return [method for method in results.methods if method not in scored]


def _degenerate(methods: Sequence[MethodVerdict]) -> Iterator[str]:
    """Name trained methods with many outputs that are no answers."""
    for method in methods:
        shares = asdict(method.degenerate) if method.degenerate and method.method != BASELINE else {}
        many = [
            f"{100 * share:.0f} % {_KINDS[kind]}"
            for kind, share in shares.items()
            if share and share >= _MANY
        ]
        if many:
            yield f"Of {method.method}'s outputs on test {listed(many)}."


def _disagreement(metric: str, methods: Sequence[MethodVerdict]) -> Iterator[str]:
    """Name the scores by which another method has the highest mean than by the task's metric."""
    trained = [method for method in methods if method.method != BASELINE]
    compared = [method for method in trained if method.seeds > 1] or trained
    if not compared:
        return
    best, others = compared[0], []
    for name in best.scores:
        other = max(compared, key=lambda method: method.scores[name].mean)
        mean, least = other.scores[name].mean, best.scores[name].mean
        if round(mean, 2) > round(least, 2):
            others.append(f"by {score_name(name)} {other.method} ({mean:.2f}; {best.method} {least:.2f})")
    if others:
        it_is = f"by {score_name(metric)} it is {best.method}"
        yield f"The metrics disagree on the best method: {', '.join([it_is, *others])}."


def _cut(methods: Sequence[MethodVerdict]) -> Iterator[str]:
    """Name the intervals that would reach beyond the scale of their score."""
    cut: dict[tuple[float, float], list[str]] = {}
    for method in methods:
        for name, found in method.scores.items():
            if found.is_cut:
                cut.setdefault(get(name).scale, []).append(f"{method.method} ({score_name(name)})")
    for (low, high), intervals in cut.items():
        yield (
            f"Intervals that reach beyond the scale, {low:g} to {high:g}, are cut off there: "
            f"{listed(intervals)}."
        )


def _below_copies(metric: str, methods: Sequence[MethodVerdict], copies: Sequence[Copy]) -> Iterator[str]:
    """Name trained methods that score no more than a copy of a part of the source."""
    if not copies:
        return
    best = max(copies, key=lambda copy: copy.scores[metric].mean)
    bar = best.scores[metric].mean
    below = [
        f"{m.method} ({m.score.mean:.2f})" for m in methods if m.method != BASELINE and m.score.mean <= bar
    ]
    if below:
        more = f"no more than a copy of each source's {best.label} ({bar:.2f})"
        yield f"On test {listed(below)} {'scores' if len(below) == 1 else 'score'} {more}."


def _documents(paired: Paired) -> Iterator[str]:
    count = paired.documents
    if not count:
        yield "The runs have no scored document in common: means only, without intervals or comparisons."
    elif count < FEWEST_DOCUMENTS:
        yield f"With only {counted(count, 'document')} no difference between methods can be significant."
    elif count < FEW_DOCUMENTS:
        yield f"Only {count} documents were compared: the intervals are wide."
    if count and paired.dropped:
        yield f"Left out: {counted(paired.dropped, 'document')} without a finite score in every run."


def _seeds(comparison: Comparison) -> Iterator[str]:
    trained = {m: len(s) for m, s in comparison.scores.items() if m not in comparison.fixed}
    single = [method for method, seeds in trained.items() if seeds == 1]
    if trained and not comparison.spread.df:
        yield "How much the seed alone moves a score is not known: intervals are over documents only."
    elif single:
        yield f"With one seed, its spread taken from the other methods: {listed(single)}."
    if comparison.spread.df and min(seeds for seeds in trained.values() if seeds > 1) == 2:
        yield "Two seeds a method tell little about how much a seed moves a score: the intervals are wide."
    yield from _scattering(comparison)


def _scattering(comparison: Comparison) -> Iterator[str]:
    """Name methods whose seeds differ more than the others', and whose intervals that widens."""
    found = comparison.spread.scattering
    differ = {m: float(np.ptp(s.mean(axis=1))) for m, s in comparison.scores.items() if len(s) > 1}
    most = max((apart for method, apart in differ.items() if method not in found), default=0.0)
    for method in found:
        wide = "its intervals are wide" if method in comparison.spread.apart else "so all intervals are wide"
        yield (
            f"{method}'s seeds differ by {differ[method]:.2f} points, those of the other methods by at most "
            f"{most:.2f}: {wide}."
        )
