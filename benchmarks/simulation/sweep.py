"""The sweep's own searcher, studies, scheduler and records, with curves in place of workers and a disk."""

from collections.abc import Mapping
from typing import Any, Protocol

import optuna
from optuna.storages import InMemoryStorage

from benchmarks.simulation.curves import Curve
from search.config.sweep import Sweep
from search.engine.searcher import MethodSearch
from search.records.plan import Plan
from search.records.record import Record
from search.records.run_folder import RunFolder
from search.records.trial_store import TrialStore
from search.schedulers.asha import MethodASHA
from search.studies.study import MethodStudy
from spaces import Space, Value
from trainables.rung_report import RungReport
from trainables.status import Status

TASK = {"model": "simulated", "data": "simulated", "source": "s", "target": "t", "prompt": "{s}"}

NOWHERE = "/dev/null/simulated"
"""No file or folder can be there."""


class Learner(Protocol):
    """What stands for the training of one method."""

    space: Space
    rungs: list[int]
    reduction_factor: int

    def curve(self, point: Mapping[str, Value], seed: int) -> Curve:
        """What a trial of the point comes to."""


class SimulatedSweep:
    """A search of `simulate` that decides as `tuneoff run` would.

    Args:
        learners: method to what its trials come to, all with the same rungs.
        seed: of the sweep.
        study: what proposes for one method.
        search: keys of the sweep file's `search`.
    """

    def __init__(
        self,
        learners: Mapping[str, Learner],
        seed: int = 0,
        *,
        study: type[MethodStudy] = MethodStudy,
        **search: Any,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.learners = learners
        self.rungs = next(iter(learners.values())).rungs
        self.sweep = _sweep(learners, seed, search)
        self.store = TrialStore(_Unwritten(NOWHERE))
        plan = Plan(self.sweep, self.store.folder, "", self.rungs)
        storage = InMemoryStorage()
        self.studies = {
            method: study(self.sweep, method, one.space, storage=storage, budgets=self.rungs)
            for method, one in learners.items()
        }
        self.searcher = MethodSearch(plan, self.store, self.studies)
        settings = self.sweep.search
        self.scheduler = MethodASHA(self.store, learners, settings.reduction_factor, settings.costs)
        self._records: dict[str, str] = {}
        self._curves: dict[str, Curve] = {}

    def propose(self, trial: str) -> tuple[str, Curve] | None:
        config = self.searcher.suggest(trial)
        if not isinstance(config, dict):
            return None
        record = self.store.records[config["assignment"]["trial"]]
        self._records[trial] = record.id
        self._curves[record.id] = self.learners[record.method].curve(record.hyperparameters, record.seed)
        return record.method, self._curves[record.id]

    def report(self, trial: str, rung: int) -> bool:
        """As with Tune: the scheduler decides, then trial store, study and searcher hear of it."""
        record = self.store.records[self._records[trial]]
        report = _report(self._curves[record.id], rung, self.rungs)
        stops_early = self.sweep.search.scheduler == "asha"
        stop = self.scheduler.stop_for(record, report) if stops_early else None
        record = self.store.report(record.id, report, stop)
        self.studies[record.method].tell(record)
        if record.status.has_ended:
            self.searcher.on_trial_complete(trial)
        return not record.status.has_ended


class _Unwritten(RunFolder):
    """Keeps records in the memory of its trial store alone."""

    def write_record(self, record: Record) -> None:
        pass

    def read_records(self) -> list[Record]:
        return []


def _sweep(learners: Mapping[str, Learner], seed: int, search: dict[str, Any]) -> Sweep:
    factor = next(iter(learners.values())).reduction_factor
    return Sweep.model_validate(
        {
            "name": "simulated",
            "seed": seed,
            "task": TASK,
            "methods": {name: {"base": learner.space.name} for name, learner in learners.items()},
            "search": {"reduction_factor": factor, **search},
        }
    )


def _report(curve: Curve, rung: int, budgets: list[int]) -> RungReport:
    """What a trial would report."""
    is_last = rung == len(curve.scores) - 1
    end = Status.COMPLETED if len(curve.scores) == len(budgets) else Status.DIVERGED
    return RungReport(
        rung=rung,
        examples=budgets[rung],
        score=curve.scores[rung],
        cost={"train_seconds": curve.seconds[rung]},
        status=end if is_last else Status.RUNNING,
    )
