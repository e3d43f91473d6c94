"""Where a sweep stands: counted from its records, and how long the rest may take."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from statistics import fmean

from search.config import Sweep
from search.records import Record
from search.results import BASELINE


@dataclass(frozen=True)
class Standing:
    """One method in one phase."""

    method: str
    phase: str
    planned: int
    running: int
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
    """A row a method for the qualifying, then for the final, the baseline among them.

    `live`: ids of the trials that a worker has begun; without it every trial that has not ended counts as
    running, also one that waits for a worker.
    """
    records = list(records)
    trials, seeds = sweep.qualifying.trials_per_method, sweep.final.seeds
    planned = [(method, "qualifying", trials) for method in sweep.methods]
    planned += [(BASELINE, "final", 1), *((method, "final", seeds) for method in sweep.methods)]
    return [
        _standing(method, phase, count, [r for r in records if r.method == method and r.phase == phase], live)
        for method, phase, count in planned
    ]


def _standing(
    method: str, phase: str, planned: int, mine: list[Record], live: Container[str] | None
) -> Standing:

    def count(*statuses: str) -> int:
        return sum(record.status in statuses for record in mine)

    scores = [r.score for r in mine if r.status == "completed" and r.score is not None]
    return Standing(
        method=method,
        phase=phase,
        planned=planned,
        running=sum(r.status == "running" and (live is None or r.id in live) for r in mine),
        completed=count("completed"),
        stopped=count("stopped"),
        failed=count("failed", "diverged", "out_of_memory"),
        best_score=max(scores, default=None),
        seconds=sum(record.device_seconds for record in mine),
    )


def seconds_left(sweep: Sweep, records: Iterable[Record], concurrent: int) -> float | None:
    """A guess at the wall seconds until the report; None before any trial has ended.

    A trial to come costs what the ended ones of its method cost on average, a run of the final what the
    longest of them did, for it is not stopped early.
    """
    records = list(records)
    rows = {(row.method, row.phase): row for row in standings(sweep, records)}
    total = 0.0
    for method in sweep.methods:
        ended = [r.device_seconds for r in records if r.method == method and r.status != "running"]
        if not ended:
            return None
        for phase, each in (("qualifying", fmean(ended)), ("final", max(ended))):
            row = rows[method, phase]
            total += each * (row.planned - row.ended)
    return total / concurrent
