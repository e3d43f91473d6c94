"""Count from its records where a sweep stands, and estimate how long the rest will take."""

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass
from statistics import fmean

from search.config import Sweep, promoted, rungs
from search.records import BASELINE, Record, planned_trials, winner
from trainables.status import Status

_MANY = 10**9
"""Examples of which every rung has its share to many digits."""


@dataclass(frozen=True)
class Standing:
    """Where one method stands in one phase."""

    method: str
    phase: str
    planned: int
    running: int
    paused: int
    completed: int
    stopped: int
    failed: int
    """Those that diverged or ran out of memory included."""
    best_score: float | None
    """The best score at the full budget."""
    seconds: float
    """Device seconds of training and evaluation so far."""

    @property
    def ended(self) -> int:
        return self.completed + self.stopped + self.failed


def standings(sweep: Sweep, records: Iterable[Record], live: Container[str] | None = None) -> list[Standing]:
    """List where each method stands in the search, then in the final, the baseline among them.

    Then, where the sweep asks for them, the retrained defaults, and audits of as many trials as were stopped.

    `live`: ids of the trials that a worker has begun; without it every trial that has not ended counts as
    running, also one that waits for a worker.
    """
    records = list(records)
    seeds = sweep.final.seeds
    planned = [(method, "search", _trials(sweep, records, method)) for method in sweep.methods]
    planned += [(BASELINE, "final", 1), *((method, "final", seeds) for method in sweep.methods)]
    planned += [(m, "untuned", seeds) for m in sweep.methods if _retrains_default(sweep, records, m)]
    planned += [(m, "audit", count) for m in sweep.methods if (count := _audits(sweep, records, m))]
    return [
        _standing(method, phase, count, [r for r in records if r.method == method and r.phase == phase], live)
        for method, phase, count in planned
    ]


def _trials(sweep: Sweep, records: list[Record], method: str) -> int:
    begun = [record for record in records if record.method == method and record.phase == "search"]
    return planned_trials(sweep, method, begun)


def _retrains_default(sweep: Sweep, records: list[Record], method: str) -> bool:
    """Tell whether the default will be retrained, by what is known: not if it failed, nor if it wins."""
    mine = [record for record in records if record.method == method and record.phase == "search"]
    failed = any(record.origin == "default" and record.status.facts.has_failed for record in mine)
    best = winner(mine)
    return sweep.final.retrain_defaults and not failed and not (best and best.origin == "default")


def _audits(sweep: Sweep, records: list[Record], method: str) -> int:
    stopped = [record for record in records if record.method == method and record.status is Status.STOPPED]
    return min(sweep.search.audit, len(stopped))


def _standing(
    method: str, phase: str, planned: int, mine: list[Record], live: Container[str] | None
) -> Standing:
    ends = Counter(record.status for record in mine)
    scores = [r.score for r in mine if r.status is Status.COMPLETED and r.score is not None]
    return Standing(
        method=method,
        phase=phase,
        planned=planned,
        running=sum(r.status is Status.RUNNING and (live is None or r.id in live) for r in mine),
        paused=ends[Status.PAUSED],
        completed=ends[Status.COMPLETED],
        stopped=ends[Status.STOPPED],
        failed=sum(record.status.facts.has_failed for record in mine),
        best_score=max(scores, default=None),
        seconds=sum(record.device_seconds for record in mine),
    )


def seconds_left(sweep: Sweep, records: Iterable[Record], concurrent: int) -> float | None:
    """Estimate the wall seconds until the report; None before each method has a trial that ended.

    A trial to come costs what the ended ones of its method cost on average, all other runs what the longest
    of them did, for they are not stopped early. Where trials are promoted, few have ended before the last:
    then as many more are expected at each rung as chance would promote.
    """
    records = list(records)
    rows = [row for row in standings(sweep, records) if row.method in sweep.methods]
    total = 0.0
    for row in rows:
        ended = [r.device_seconds for r in records if r.method == row.method and r.status.has_ended]
        if not ended:
            return None
        budget = sweep.search.budget
        if row.phase == "search" and budget is not None:
            total += max(0.0, budget.device_seconds_per_method - row.seconds)
            continue
        if sweep.search.scheduler == "promote":
            total += _left_by_promotion(sweep, row, records)
            continue
        each = fmean(ended) if row.phase == "search" else max(ended)
        total += each * (row.planned - row.ended)
    return total / concurrent


def _left_by_promotion(sweep: Sweep, row: Standing, records: list[Record]) -> float:
    """Estimate a row's seconds to come from what its method's search has cost a full training so far."""
    levels = rungs(sweep.search, _MANY)
    shares = [level / levels[-1] for level in levels]
    steps = [share - before for before, share in zip([0.0, *shares], shares, strict=False)]
    trials = [r for r in records if r.method == row.method and r.phase == "search" and r.rungs]
    done = sum(shares[len(trial.rungs) - 1] for trial in trials)
    each = sum(trial.device_seconds for trial in trials) / done if done else 0.0
    if row.phase != "search":
        return each * (row.planned - row.ended)
    reached = promoted(sweep.search, row.planned, len(levels))
    planned = sum(count * step for count, step in zip(reached, steps, strict=True))
    return 0.0 if row.ended == row.planned else each * max(0.0, planned - done)
