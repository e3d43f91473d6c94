"""Virtual time: workers that take trials, and rungs that cost the device seconds that were recorded."""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from benchmarks.simulation.curves import Curve


class Search(Protocol):
    """What decides: which trial a free worker takes, and whether a trial goes on."""

    def propose(self, trial: str) -> tuple[str, Curve] | tuple[str, Curve, int] | None:
        """The method and the curve of a trial, which is called `trial`; None: nothing for now.

        One that was paused has a third part, the rung that it goes on to.
        """

    def report(self, trial: str, rung: int) -> bool:
        """The trial has reached a rung: whether it goes on. It does not past its last one."""


@dataclass(frozen=True)
class Told:
    """A trial at a rung."""

    seconds: float
    """Since the search began."""
    trial: str
    method: str
    curve: Curve
    rung: int
    goes_on: bool
    spent: dict[str, float]
    """Device seconds of each method by then, those of trials under way included."""

    @property
    def is_completed(self) -> bool:
        """Whether it is at its end with a score."""
        return not self.goes_on and self.rung == len(self.curve.scores) - 1 and self.score is not None

    @property
    def score(self) -> float | None:
        return self.curve.scores[self.rung]


class _Trial:
    """One that a worker has taken, on its way to its first rung or to that which it goes on to."""

    def __init__(self, name: str, method: str, curve: Curve, rung: int, taken: float) -> None:
        self.name = name
        self.method = method
        self.curve = curve
        self.rung = rung
        self.taken = taken
        self._had = curve.seconds[rung - 1] if rung else 0.0

    def reaches(self, rung: int) -> float:
        """When it comes to a rung."""
        return self.taken + self.curve.seconds[rung] - self._had


def simulate(search: Search, workers: int = 1) -> Iterator[Told]:
    """Every rung that is reached, in the order of time, until nothing is left to do.

    At one moment the trial that began first is heard first.
    """
    clock = _Clock(search, workers)
    while clock.due:
        yield clock.advance()


class _Clock:
    def __init__(self, search: Search, workers: int) -> None:
        self.search = search
        self.workers = workers
        self.now = 0.0
        self.due: list[tuple[float, int, _Trial]] = []
        self._numbers = count()
        self._ended: defaultdict[str, float] = defaultdict(float)
        """Device seconds of the trials that ended, by method."""
        self._take()

    def advance(self) -> Told:
        """To the next rung that is reached; a worker that is free by it takes a new trial."""
        self.now, number, trial = heapq.heappop(self.due)
        spent = self._spent(trial)
        goes_on = self.search.report(trial.name, trial.rung)
        told = Told(self.now, trial.name, trial.method, trial.curve, trial.rung, goes_on, spent)
        if goes_on:
            trial.rung += 1
            heapq.heappush(self.due, (trial.reaches(trial.rung), number, trial))
        else:
            self._ended[trial.method] += self.now - trial.taken
        self._take()
        return told

    def _take(self) -> None:
        while len(self.due) < self.workers:
            number = next(self._numbers)
            chosen = self.search.propose(f"simulated-{number}")
            if chosen is None:
                return
            method, curve, rung = chosen if len(chosen) == 3 else (*chosen, 0)
            trial = _Trial(f"simulated-{number}", method, curve, rung, self.now)
            heapq.heappush(self.due, (trial.reaches(rung), number, trial))

    def _spent(self, current: _Trial) -> dict[str, float]:
        spent = self._ended.copy()
        for trial in [current, *(trial for _, _, trial in self.due)]:
            spent[trial.method] += self.now - trial.taken
        return dict(spent)
