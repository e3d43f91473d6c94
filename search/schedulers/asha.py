"""ASHA within each method: methods never compete for a rung, for soft prompts learn later than adapters.

ASHA: Li et al., 2020, arXiv 1810.05934, in its stopping form (as in Ray Tune and Syne Tune).
"""

import math
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from search.records import Record, Stop, TrialStore
from search.statistics import front_ranks
from trainables.rung_report import RungReport


class Rungs:
    """What one method's trials reached at each rung: a value, higher is better, and costs, lower is better.

    With costs, trials are ranked by Pareto front, and by value within one (MO-ASHA: Schmucker et al., 2021,
    arXiv 2106.12639, which leaves the order within a front open).
    """

    def __init__(self, reduction_factor: int) -> None:
        self.reduction_factor = reduction_factor
        self._points: dict[int, dict[str, tuple[float, ...]]] = defaultdict(dict)
        """Rung to trial to what it reached, all to be low: the value negated, then the costs."""
        self._losses: dict[int, list[float]] = defaultdict(list)
        """Rung to the first of each of its points, in order: a decision need not look at every trial."""

    def enter(self, trial: str, rung: int, value: float | None, costs: Sequence[float] = ()) -> None:
        """Take note without a decision; a value of None was not finite and competes with nobody."""
        if value is None:
            return
        points, losses = self._points[rung], self._losses[rung]
        if trial in points:
            losses.remove(points[trial][0])
        points[trial] = (-value, *costs)
        insort(losses, -value)

    def decide(self, trial: str, rung: int, value: float | None, costs: Sequence[float] = ()) -> Stop | None:
        """Why the trial must stop at this rung, or None: it is among the best 1/reduction_factor so far.

        A tie goes to the trial that came first, so that equal scores do not all run to the end.
        """
        if value is None:
            return Stop(rung=rung, value=None, cut_off=None)
        self.enter(trial, rung, value, costs)
        losses = self._losses[rung]
        places = math.ceil(len(losses) / self.reduction_factor)
        if costs:
            front, ahead = self._standing(trial, rung)
            return None if ahead < places else Stop(rung=rung, value=value, cut_off=None, front=front)
        ahead = bisect_right(losses, -value) - 1  # those at least as good, without itself
        return None if ahead < places else Stop(rung=rung, value=value, cut_off=-losses[places - 1])

    def _standing(self, trial: str, rung: int) -> tuple[int, int]:
        """The trial's Pareto front, and how many others are on a better one, or as good on the same."""
        points = self._points[rung]
        fronts = dict(zip(points, front_ranks(list(points.values())), strict=True))
        own = (fronts[trial], points[trial][0])
        others = [(fronts[name], point[0]) for name, point in points.items() if name != trial]
        return own[0], sum(other <= own for other in others)


class MethodASHA(FIFOScheduler):
    """Tune's scheduler for the search; its rungs are rebuilt from the trial store, since Tune saves none.

    The default configuration of a method is never stopped: the report compares the winner with it.
    """

    def __init__(
        self, store: TrialStore, methods: Iterable[str], reduction_factor: int, costs: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.store = store
        self.costs = costs
        self.rungs = {method: Rungs(reduction_factor) for method in methods}
        self._stops: dict[tuple[str, int], Stop | None] = {}
        """Trial and rung to what was decided there."""
        self.is_over: Callable[[], bool] = lambda: False
        """Returns whether each trial leaves at its next rung; its record does not end: it may go on."""
        for method, rungs in self.rungs.items():
            for record in store.search(method):
                for rung in record.rungs:
                    rungs.enter(record.id, rung.rung, rung.score, self._costs(rung.cost))

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Decide on a result as Tune hands it over: see `trainables.trainable.tune_result`."""
        record = self.store.records[trial.config["assignment"]["trial"]]
        stop = self.stop_for(record, result["report"])
        return TrialScheduler.CONTINUE if stop is None and not self.is_over() else TrialScheduler.STOP

    def stop_for(self, record: Record, report: RungReport) -> Stop | None:
        """Why a trial must stop at the rung that it reports, or None: it goes on, or has ended by itself.

        Decided once for each trial and rung: the scheduler and the recorder both ask, whichever Tune calls
        first, and the later of the two finds other trials in the rung and this report in the record.
        """
        if report.status.has_ended:
            return None
        place = (record.id, report.rung)
        if place not in self._stops:
            self._stops[place] = self._decide(record, report)
        return self._stops[place]

    def _costs(self, cost: Mapping[str, float | None]) -> tuple[float, ...]:
        """Of what the search weighs; what could not be measured is worse than all."""
        known = (cost.get(name) for name in self.costs)
        return tuple(math.inf if value is None else value for value in known)

    def _decide(self, record: Record, report: RungReport) -> Stop | None:
        rungs, costs = self.rungs[record.method], self._costs(report.cost)
        if record.origin == "default":
            rungs.enter(record.id, report.rung, report.score, costs)
            return None
        if report.rung < len(record.rungs):  # reported again after a crash: it was let pass then
            return None
        return rungs.decide(record.id, report.rung, report.score, costs)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its schedulers; this one's state is the trial store."""
        return {}
