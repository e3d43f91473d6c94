"""The sweep's own searcher, studies, scheduler and records, with curves in place of workers and a disk."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import optuna

from benchmarks.simulation.curves import Curve
from search.config.sweep import Sweep
from search.engine.searcher import MethodSearch
from search.records.plan import Plan
from search.records.record import Record
from search.records.run_folder import RunFolder
from search.records.trial_store import TrialStore
from search.schedulers import scheduler_of
from search.studies.paused import PausingStorage
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
        storage = PausingStorage()
        self.studies = {
            method: study(self.sweep, method, one.space, storage=storage, budgets=self.rungs)
            for method, one in learners.items()
        }
        self.scheduler = scheduler_of(self.sweep, self.store)
        self.searcher = MethodSearch(plan, self.store, self.studies, self.scheduler)
        self._records: dict[str, str] = {}
        self._curves: dict[str, Curve] = {}

    def propose(self, trial: str) -> tuple[str, Curve, int] | None:
        config = self.searcher.suggest(trial)
        if not isinstance(config, dict):
            return None
        record = self.store.records[config["assignment"]["trial"]]
        self._records[trial] = record.id
        if record.id not in self._curves:
            self._curves[record.id] = self.learners[record.method].curve(record.hyperparameters, record.seed)
        return record.method, self._curves[record.id], len(record.rungs)

    def curves_of(self, records: Iterable[Record]) -> list[Curve]:
        """List what trials that have begun come to in the end."""
        return [self._curves[record.id] for record in records]

    def report(self, trial: str, rung: int) -> bool:
        """As with Tune: the scheduler decides, then trial store, study and searcher hear of it."""
        record = self.store.records[self._records[trial]]
        report = _report(self._curves[record.id], rung, self.rungs)
        stops_early = self.sweep.search.scheduler != "none"
        ends = self.scheduler.ends(record, report) if stops_early else None
        record = self.store.report(record.id, report, ends)
        self.studies[record.method].tell(record)
        self.searcher.settle()
        goes_on = ends is None and not record.status.has_ended
        if not goes_on:
            self.searcher.on_trial_complete(trial)
        return goes_on


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
        loss=curve.losses[rung] if curve.losses else None,
        cost={"train_seconds": curve.seconds[rung]},
        status=end if is_last else Status.RUNNING,
    )
