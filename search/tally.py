"""Where a sweep stands: counted from its records, and how long the rest may take."""

from collections.abc import Iterable
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
    """Those that diverged included."""
    best_score: float | None
    """The best score at the full budget."""
    seconds: float
    """Device seconds of training and evaluation so far."""

    @property
    def ended(self) -> int:
        return self.completed + self.stopped + self.failed


def standings(sweep: Sweep, records: Iterable[Record]) -> list[Standing]:
    """A row a method for the qualifying, then for the final, the baseline among them."""
    records = list(records)
    trials, seeds = sweep.qualifying.trials_per_method, sweep.final.seeds
    rows = [_standing(method, "qualifying", trials, records) for method in sweep.methods]
    rows.append(_standing(BASELINE, "final", 1, records))
    return rows + [_standing(method, "final", seeds, records) for method in sweep.methods]


def _standing(method: str, phase: str, planned: int, records: list[Record]) -> Standing:
    mine = [record for record in records if record.method == method and record.phase == phase]

    def count(*statuses: str) -> int:
        return sum(record.status in statuses for record in mine)

    scores = [r.score for r in mine if r.status == "completed" and r.score is not None]
    return Standing(
        method=method,
        phase=phase,
        planned=planned,
        running=count("running"),
        completed=count("completed"),
        stopped=count("stopped"),
        failed=count("failed", "diverged"),
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
