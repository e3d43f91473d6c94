"""What tuning is worth on test: each method's winner against its default configuration."""

from collections.abc import Iterator

from search.records import BASELINE, Results
from search.statistics import Comparison
from search.verdict.costs import costs_of_runs
from search.verdict.estimate import estimate
from search.verdict.paired import paired
from search.verdict.values import DefaultVerdict, MethodVerdict, default_name


def judge_defaults(results: Results, methods: list[MethodVerdict]) -> Iterator[DefaultVerdict]:
    """Compare each of `methods` with its default configuration, where that won or was retrained too.

    The retrained defaults are compared on the documents that all of them and all finals have, with the
    spread of the seeds of all. They have no part in the comparison of the methods.
    """
    scores = {} if results.retrained_defaults.empty else paired(results, with_defaults=True).scores
    by_score = {name: Comparison(points, fixed={BASELINE}) for name, points in scores.items()}
    compared = next(iter(scores.values()), {})
    spent = costs_of_runs(results.retrained_defaults)
    for tuned in methods:
        if _is_default(results, tuned.method):
            yield _of_winner(tuned)
        elif {tuned.method, default_name(tuned.method)} <= compared.keys():
            yield _retrained(tuned.method, by_score, spent.get(tuned.method, {}))


def _is_default(results: Results, method: str) -> bool:
    """Tell whether the final retrained the method's default configuration."""
    default = next((trial.id for trial in results.search(method) if trial.origin == "default"), None)
    retrained = results.finals.loc[results.finals["method"] == method, "of_trial"]
    return default is not None and bool((retrained == default).all())


def _of_winner(tuned: MethodVerdict) -> DefaultVerdict:
    return DefaultVerdict(
        method=tuned.method,
        scores=tuned.scores,
        gain=0.0,
        low=0.0,
        high=0.0,
        is_winner=True,
        seeds=tuned.seeds,
        costs=tuned.costs,
    )


def _retrained(method: str, by_score: dict[str, Comparison], spent: dict[str, float]) -> DefaultVerdict:
    name, main = default_name(method), next(iter(by_score.values()))
    gain = main.difference(method, name)
    low, high = gain.interval()
    return DefaultVerdict(
        method=method,
        scores={score: estimate(comparison, name, score) for score, comparison in by_score.items()},
        gain=gain.value,
        low=low,
        high=high,
        is_winner=False,
        seeds=len(main.scores[name]),
        costs=spent,
    )
