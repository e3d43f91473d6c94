"""From a run folder to its verdict."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from search.records import BASELINE, Results
from search.statistics import Comparison, Scores, all_pairs, holm, letters
from search.verdict import sentences
from search.verdict.copies import copies
from search.verdict.costs import costs
from search.verdict.defaults import judge_defaults
from search.verdict.degenerate import Degenerate, degenerate
from search.verdict.estimate import estimate
from search.verdict.notes import missing, notes
from search.verdict.paired import Paired, paired
from search.verdict.quoted import quoted
from search.verdict.search_quality import search_sd
from search.verdict.tradeoff import SIGNIFICANCE, fronts, recommendations
from search.verdict.values import Lead, MethodVerdict, Pair, Verdict


def verdict(results: Results, *, margin: float = 1.0) -> Verdict:
    """Compare the methods of a run folder; `margin` is in points of the task's metric.

    Works on whatever is there: an interrupted sweep, one seed, one document, nothing. The same records
    give the same verdict.
    """
    runs = paired(results)
    comparison = Comparison(runs.by_method, fixed={BASELINE})
    rng = np.random.default_rng(results.sweep.seed)
    pairs = compare(comparison, rng)
    best = lead(pairs)
    spent = costs(results)
    methods = _methods(runs, comparison, pairs, spent, degenerate(results))
    copied, scores_only = list(copies(results, runs)), quoted(results)
    uncompared = [method for method in comparison.methods if method not in comparison.comparable]
    advised = list(recommendations(comparison, spent, margin, best.tied if best else ()))
    return Verdict(
        metric=results.sweep.task.metric,
        documents=runs.documents,
        intervals_over="seeds and documents" if any(m.seeds > 1 for m in methods) else "documents only",
        methods=methods,
        copies=copied,
        quoted=scores_only,
        uncompared=uncompared,
        pairs=pairs,
        lead=best,
        search_sd=search_sd(results),
        fronts=list(fronts(comparison, spent, rng)) if methods else [],
        recommendations=advised,
        untuned=list(judge_defaults(results, methods)),
        advice=list(sentences.advice(advised, of_those_compared=bool(uncompared))),
        summary=sentences.summary(results, methods, pairs, best, scores_only),
        notes=list(notes(results, runs, comparison, methods, [*copied, *scores_only])),
        missing=missing(results, comparison),
    )


def compare(comparison: Comparison, rng: np.random.Generator, *, resamples: int = 9999) -> list[Pair]:
    """Compare all comparable pairs, better method first; a difference must hold over documents alone too.

    Trained methods with one another and with the untrained model are two families of questions, each with
    its own correction.

    `resamples`: of the approximate randomisation over documents.
    """
    pairs = list(combinations(comparison.comparable, 2))
    if not pairs:
        return []
    effects = [comparison.difference(*pair) for pair in pairs]
    by_documents = comparison.randomised(pairs, rng, resamples=resamples)
    p_values = np.maximum(by_documents, [effect.p_value() for effect in effects])
    corrected = _corrected(p_values, np.array([BASELINE in pair for pair in pairs]))
    return [
        Pair(
            better=better,
            worse=worse,
            effect=effect.value,
            low=effect.interval()[0],
            high=effect.interval()[1],
            p_documents=float(alone),
            p=float(p),
            p_corrected=float(adjusted),
            significant=bool(adjusted < SIGNIFICANCE),
        )
        for (better, worse), effect, alone, p, adjusted in zip(
            pairs, effects, by_documents, p_values, corrected, strict=True
        )
    ]


def _corrected(p_values: Scores, with_untrained: NDArray[np.bool_]) -> Scores:
    """Correct the p-values of pairs, (pairs,): those with the untrained model by themselves."""
    corrected = np.empty_like(p_values)
    between = ~with_untrained
    corrected[with_untrained] = holm(p_values[with_untrained])
    methods = int((1 + np.sqrt(1 + 8 * between.sum())) / 2)  # of n methods there are n (n - 1) / 2 pairs
    corrected[between] = all_pairs(p_values[between], methods)
    return corrected


def lead(pairs: Sequence[Pair]) -> Lead | None:
    """Test whether the best trained method is better than every other, from the pairs of `compare`."""
    trained = [pair for pair in pairs if BASELINE not in (pair.better, pair.worse)]
    if not trained:
        return None
    mine = [pair for pair in trained if pair.better == trained[0].better]
    closest = max(mine, key=lambda pair: math.inf if math.isnan(pair.p) else pair.p)
    shown = closest.p < SIGNIFICANCE
    tied = [] if shown else [pair.worse for pair in mine if not pair.significant]
    return Lead(closest.better, closest.worse, closest.p, shown, tied)


def _methods(
    runs: Paired,
    comparison: Comparison,
    pairs: list[Pair],
    spent: Mapping[str, Mapping[str, float]],
    outputs: Mapping[str, Degenerate],
) -> list[MethodVerdict]:
    trained = [method for method in comparison.comparable if method != BASELINE]
    different = [frozenset((pair.better, pair.worse)) for pair in pairs if pair.significant]
    metric = next(iter(runs.scores))
    shown = letters(trained, different) if len(trained) > 1 else {}
    by_score = {name: Comparison(scores, fixed={BASELINE}) for name, scores in runs.scores.items()}
    return [
        MethodVerdict(
            method=method,
            score=estimate(comparison, method, metric),
            scores={name: estimate(one, method, name) for name, one in by_score.items()},
            letters=shown.get(method, ""),
            seeds=len(comparison.scores[method]),
            degenerate=outputs.get(method),
            costs=dict(spent.get(method, {})),
        )
        for method in comparison.methods
    ]
