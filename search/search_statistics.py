"""How well each method was searched: what luck alone would have found, and whether small budgets foretell."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from search.importance import Importance, importance
from search.records import Record
from search.results import Results
from search.samplers import STARTUP_TRIALS
from search.statistics.trials import expected_best, rank_correlation


@dataclass(frozen=True)
class RungCorrelation:
    """How far the order of the trials at one rung was that of a later one."""

    earlier: int
    later: int
    """Rungs by their place, 0 the first."""
    kendall: float
    spearman: float
    """From -1 to 1; NaN where fewer than three trials reached both, or all tie."""
    trials: int
    """Trials that reached both: the better ones, for the others were stopped; too low in general."""


@dataclass(frozen=True)
class SearchStatistics:
    """One method's search."""

    method: str
    expected_best: list[float]
    """The expected best score on validation of n random trials, in points, for n = 1, 2, ...

    From the trials that were drawn at random and independently: all sampled ones of a random search, the
    start-up of TPE. A stopped trial counts by its last score, which is less than it would have reached, and
    one that diverged as zero: no value is too high.
    """
    rungs: list[RungCorrelation]
    """Every pair of rungs that some trial has reached."""
    importance: Importance


def search_statistics(results: Results, method: str) -> SearchStatistics:
    """From the records of one method's qualifying."""
    records = results.qualifying(method)
    known = method in results.sweep.methods
    return SearchStatistics(
        method=method,
        expected_best=expected_best([r.score or 0.0 for r in _random(results, records)]).tolist(),
        rungs=_correlations(records),
        importance=importance(results.sweep, method, records) if known else Importance({}, 0),
    )


def _random(results: Results, records: list[Record]) -> list[Record]:
    """Ended trials of independent draws; the untuned default is none, and a failure tells nothing."""
    sampler = results.sweep.qualifying.sampler
    drawn = {"random": math.inf, "tpe": STARTUP_TRIALS, "qmc": 0}[sampler]
    ended = [r for r in records if r.status in ("completed", "stopped", "diverged")]
    return [record for record in ended if record.origin == "sampled" and record.number < drawn]


def _correlations(records: list[Record]) -> list[RungCorrelation]:
    scores = _by_rung(records)
    return [
        RungCorrelation(earlier, later, *rank_correlation(scores[earlier], scores[later]))
        for earlier, later in combinations(range(len(scores)), 2)
    ]


def _by_rung(records: list[Record]) -> np.ndarray:
    """Scores in points, (rungs, trials); NaN where a trial has none."""
    places = [rung.rung for record in records for rung in record.rungs]
    scores = np.full((max(places, default=-1) + 1, len(records)), math.nan)
    for trial, record in enumerate(records):
        for rung in record.rungs:
            scores[rung.rung, trial] = math.nan if rung.score is None else rung.score
    return scores
