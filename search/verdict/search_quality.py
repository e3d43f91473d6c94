"""How well each method was searched: what luck alone would have found, and whether small budgets foretell."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from search.records import Record, Results, winner
from search.samplers import get as get_sampler
from search.statistics import expected_best, rank_correlation, sd_of_best
from search.verdict.importance import Importance, importance
from trainables.status import Status

FEWEST_SAMPLED = 5
"""With fewer trials their spread says nothing of another search's."""


@dataclass(frozen=True)
class RungCorrelation:
    """Rank correlation between the trials' scores at two rungs."""

    earlier: int
    later: int
    """Rungs by their place, 0 the first."""
    kendall: float
    spearman: float
    """From -1 to 1; NaN where fewer than three trials reached both, or all tie."""
    trials: int
    """Trials that reached both, audited ones among them; of others only the better half, for the worse ones
    were stopped, and then both values are too low in general."""


@dataclass(frozen=True)
class Audit:
    """Outcome of running stopped trials to the end, compared with their method's winner."""

    stopped: int
    """Trials that were stopped early."""
    audited: int
    """Of them, drawn at random and run to an end; one that failed is not known and not counted."""
    wrongly_stopped: int
    """Of these, with a higher score at the full budget than the winner: one would have won."""
    best: float | None
    """The highest score of an audited trial at the full budget, in points."""


@dataclass(frozen=True)
class SearchStatistics:
    """Statistics of one method's search."""

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
    audit: Audit


def search_statistics(results: Results, method: str) -> SearchStatistics:
    """Compute the statistics of one method's search from its records and those of its audit."""
    records, audits = results.search(method), results.audits(method)
    known = method in results.sweep.methods
    return SearchStatistics(
        method=method,
        expected_best=expected_best([r.score or 0.0 for r in _random(results, records)]).tolist(),
        rungs=_correlations(_run_on(records, audits)),
        importance=importance(results.sweep, method, records) if known else Importance({}, 0),
        audit=_audit(records, audits),
    )


def search_sd(results: Results) -> dict[str, float]:
    """Estimate how much the best validation score would move from search to search, in points.

    The standard deviation by the bootstrap of each method's sampled trials (`sd_of_best`); a rough figure
    where the sampler learns. Another search would try the same default configuration, so none of its bests is
    below that. Stopped trials count by their last score, which loses as they did. Methods with fewer than
    `FEWEST_SAMPLED` are left out.
    """
    scores = {method: _sampled_scores(results.search(method)) for method in results.searched}
    return {method: sd_of_best(found) for method, found in scores.items() if len(found) >= FEWEST_SAMPLED}


def _sampled_scores(records: list[Record]) -> list[float]:
    default = max((r.score or 0.0 for r in records if r.origin == "default"), default=0.0)
    return [
        max(record.score or 0.0, default)
        for record in records
        if record.origin == "sampled" and record.status.facts.tells_quality
    ]


def _random(results: Results, records: list[Record]) -> list[Record]:
    """Select ended trials that were drawn independently: no default configurations, no failures."""
    drawn = get_sampler(results.sweep.search.sampler).independent_trials
    ended = [r for r in records if r.status.facts.tells_quality]
    return [record for record in ended if record.origin == "sampled" and record.number < drawn]


def _audit(records: list[Record], audits: list[Record]) -> Audit:
    """Count audited trials that beat the winner; one that diverged or ran out of memory did not."""
    best = winner(records)
    ended = _ended(audits)
    scores = [run.score for run in ended if run.status is Status.COMPLETED and run.score is not None]
    bar = -math.inf if best is None or best.score is None else best.score
    return Audit(
        stopped=sum(record.status is Status.STOPPED for record in records),
        audited=len(ended),
        wrongly_stopped=sum(score > bar for score in scores),
        best=max(scores, default=None),
    )


def _ended(audits: list[Record]) -> list[Record]:
    return [run for run in audits if run.status.has_ended and run.status is not Status.FAILED]


def _run_on(records: list[Record], audits: list[Record]) -> list[Record]:
    """Replace each audited trial by its audit, which was run to the end."""
    ended = {run.of_trial: run for run in _ended(audits)}
    return [ended.get(record.id, record) for record in records]


def _correlations(records: list[Record]) -> list[RungCorrelation]:
    scores = _by_rung(records)
    return [
        RungCorrelation(earlier, later, *rank_correlation(scores[earlier], scores[later]))
        for earlier, later in combinations(range(len(scores)), 2)
    ]


def _by_rung(records: list[Record]) -> np.ndarray:
    """Arrange scores as an array (rungs, trials), in points; NaN where a trial has none."""
    places = [rung.rung for record in records for rung in record.rungs]
    scores = np.full((max(places, default=-1) + 1, len(records)), math.nan)
    for trial, record in enumerate(records):
        for rung in record.rungs:
            scores[rung.rung, trial] = math.nan if rung.score is None else rung.score
    return scores
