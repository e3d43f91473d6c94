"""ASHA within each method: methods never compete for a rung, for soft prompts learn later than adapters.

ASHA: Li et al., 2020, arXiv 1810.05934, in its stopping form (as in Ray Tune and Syne Tune).
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from search.ledger import Ledger
from search.records import Record, Stop


class Rungs:
    """The values that one method's trials reached at each rung; higher is better."""

    def __init__(self, reduction_factor: int) -> None:
        self.reduction_factor = reduction_factor
        self._values: dict[int, dict[str, float]] = defaultdict(dict)

    def enter(self, trial: str, rung: int, value: float | None) -> None:
        """Take note of a value without a decision; None was not finite and competes with nobody."""
        if value is not None:
            self._values[rung][trial] = value

    def decide(self, trial: str, rung: int, value: float | None) -> Stop | None:
        """Why the trial must stop at this rung, or None: it is among the best 1/reduction_factor so far.

        A tie goes to the trial that came first, so that equal scores do not all run to the end.
        """
        others = sorted((v for t, v in self._values[rung].items() if t != trial), reverse=True)
        self.enter(trial, rung, value)
        if value is None:
            return Stop(rung=rung, value=None, cut_off=None)
        places = math.ceil((len(others) + 1) / self.reduction_factor)
        if len(others) < places or value > others[places - 1]:
            return None
        return Stop(rung=rung, value=value, cut_off=others[places - 1])


class MethodASHA(FIFOScheduler):
    """Tune's scheduler for the qualifying; its rungs are rebuilt from the ledger, since Tune saves none.

    The untuned default of a method is never stopped: the report compares the winner with it.
    """

    def __init__(self, ledger: Ledger, methods: Iterable[str], reduction_factor: int) -> None:
        super().__init__()
        self.ledger = ledger
        self.rungs = {method: Rungs(reduction_factor) for method in methods}
        for method, rungs in self.rungs.items():
            for record in ledger.qualifying(method):
                for rung in record.rungs:
                    rungs.enter(record.id, rung.rung, rung.score)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        record = self.ledger.records[trial.config["assignment"]["trial"]]
        stop = self._decide(record, result["rung"], result["report/score"])
        if stop is None:
            return TrialScheduler.CONTINUE
        self.ledger.stops[record.id] = stop
        return TrialScheduler.STOP

    def _decide(self, record: Record, rung: int, value: float | None) -> Stop | None:
        rungs = self.rungs[record.method]
        if record.origin == "default":
            rungs.enter(record.id, rung, value)
            return None
        if rung < len(record.rungs):  # told again after a crash: it was let pass then
            return None
        return rungs.decide(record.id, rung, value)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its schedulers; this one's state is the ledger."""
        return {}
