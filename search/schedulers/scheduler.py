"""What all schedulers of the search have in common: each method by itself, and no state but the records."""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from search.records import Pause, Record, Stop, TrialStore
from trainables.rung_report import RungReport


class MethodScheduler(FIFOScheduler):
    """Tune's scheduler for the search, which decides within each method by the trial store.

    Tune saves no scheduler: what one needs is in the records. The default configuration of a method is never
    ended: the report compares the winner with it.
    """

    def __init__(self, store: TrialStore, methods: Iterable[str], costs: Sequence[str] = ()) -> None:
        super().__init__()
        self.store = store
        self.methods = list(methods)
        self.costs = costs
        self.is_over: Callable[[], bool] = lambda: False
        """Returns whether each trial leaves at its next rung; its record does not end: it may go on."""

    @abstractmethod
    def ends(self, record: Record, report: RungReport) -> Stop | Pause | None:
        """Why a trial leaves its worker at the rung that it reports; None: it goes on, or ended by itself.

        The scheduler and the recorder both ask, whichever Tune calls first; the later of the two finds the
        report in the record.
        """

    @abstractmethod
    def settled(self) -> dict[str, Stop | None]:
        """Map paused trials to why they stop for good, or to None where a worker may take them at once."""

    def next_paused(self) -> Record | None:
        """Choose the paused trial that goes on next; None if there is none that may."""
        return None

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Decide on a result as Tune hands it over: see `trainables.trainable.tune_result`."""
        record = self.store.records[trial.config["assignment"]["trial"]]
        ends = self.ends(record, result["report"])
        return TrialScheduler.CONTINUE if ends is None and not self.is_over() else TrialScheduler.STOP

    def costs_of(self, cost: Mapping[str, float | None]) -> tuple[float, ...]:
        """Select those that the search weighs; what could not be measured is worse than all."""
        known = (cost.get(name) for name in self.costs)
        return tuple(math.inf if value is None else value for value in known)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its schedulers; this one's state is the trial store."""
        return {}
