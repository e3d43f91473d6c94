"""The sweep's own searcher, studies, scheduler and records, with curves in place of workers and a disk."""

from typing import Any

import optuna
from optuna.samplers import BaseSampler

from benchmarks.simulation.curves import Curve, Curves
from benchmarks.simulation.nearest import Tabular
from search.config.sweep import Sweep
from search.engine.searcher import MethodSearch
from search.records.plan import Plan
from search.records.record import Record
from search.records.run_folder import RunFolder
from search.records.trial_store import TrialStore
from search.schedulers import scheduler_of
from search.studies.paused import PausingStorage
from search.studies.study import MethodStudy
from trainables.rung_report import RungReport
from trainables.status import Status

TASK = {"model": "simulated", "data": "simulated", "source": "s", "target": "t", "prompt": "{s}"}

NOWHERE = "/dev/null/simulated"
"""No file or folder can be there."""


class SimulatedSweep:
    """A search of `search.simulation.clock` that decides as `tuneoff run` would.

    Args:
        curves: what the trials come to.
        seed: of the sweep.
        search: keys of the sweep file's `search`; by default as many trials as the table has of the
            method of which it has the fewest. `sampler` is `tpe` or `random`.
    """

    def __init__(self, curves: Curves, seed: int = 0, **search: Any) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.curves = curves
        self.sweep = _sweep(curves, seed, search)
        self.store = TrialStore(_Unwritten(NOWHERE))
        plan = Plan(self.sweep, self.store.folder, "", curves.rungs)
        storage = PausingStorage()
        self.studies: dict[str, MethodStudy] = {
            method: _TabularStudy(self.sweep, method, curves, storage) for method in curves.methods
        }
        self.scheduler = scheduler_of(self.sweep, self.store)
        self.searcher = MethodSearch(plan, self.store, self.studies, self.scheduler)
        self._records: dict[str, str] = {}

    def propose(self, trial: str) -> tuple[str, Curve, int] | None:
        config = self.searcher.suggest(trial)
        if not isinstance(config, dict):
            return None
        record = self.store.records[config["assignment"]["trial"]]
        self._records[trial] = record.id
        return record.method, self.curve(record), len(record.rungs)

    def report(self, trial: str, rung: int) -> bool:
        """As with Tune: the scheduler decides, then trial store, study and searcher hear of it."""
        record = self.store.records[self._records[trial]]
        report = _report(self.curve(record), rung, self.curves.rungs)
        stops_early = self.sweep.search.scheduler != "none"
        ends = self.scheduler.ends(record, report) if stops_early else None
        record = self.store.report(record.id, report, ends)
        self.studies[record.method].tell(record)
        self.searcher.settle()
        goes_on = ends is None and not record.status.has_ended
        if not goes_on:
            self.searcher.on_trial_complete(trial)
        return goes_on

    def curve(self, record: Record) -> Curve:
        curves = self.curves.methods[record.method].curves
        return next(curve for curve in curves if curve.hyperparameters == record.hyperparameters)


class _TabularStudy(MethodStudy):
    def __init__(self, sweep: Sweep, method: str, curves: Curves, storage: PausingStorage) -> None:
        self.table = curves.methods[method]
        super().__init__(sweep, method, self.table.searched, storage=storage, budgets=curves.rungs)

    def sampler_of(self, number: int) -> BaseSampler:
        return Tabular(super().sampler_of(number), self.table.space, self.table.points)


class _Unwritten(RunFolder):
    """Keeps records in the memory of its trial store alone."""

    def write_record(self, record: Record) -> None:
        pass

    def read_records(self) -> list[Record]:
        return []


def _sweep(curves: Curves, seed: int, search: dict[str, Any]) -> Sweep:
    fewest = min(len(table.curves) for table in curves.methods.values())
    return Sweep.model_validate(
        {
            "name": "simulated",
            "seed": seed,
            "task": TASK,
            "methods": {name: {"base": table.base} for name, table in curves.methods.items()},
            "search": {
                "trials_per_method": fewest,
                "reduction_factor": curves.reduction_factor,
                **search,
            },
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
