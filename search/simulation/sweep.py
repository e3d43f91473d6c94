"""The sweep's own searcher, studies, scheduler and ledger, with curves in place of workers and a disk."""

from dataclasses import dataclass
from typing import Any

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from ray.tune.utils import flatten_dict

from search.assignments import Plan
from search.config import Sweep
from search.ledger import Ledger
from search.records import Record
from search.scheduler import MethodASHA
from search.searcher import MethodSearch
from search.simulation.curves import Curve, Curves
from search.simulation.nearest import Tabular
from search.store import RunFolder
from search.studies import MethodStudy
from trainables.trainable import told

TASK = {"model": "simulated", "data": "simulated", "source": "s", "target": "t", "prompt": "{s}"}

NOWHERE = "/dev/null/simulated"
"""No file or folder can be there."""


class SimulatedSweep:
    """A search of `search.simulation.clock` that decides as `tuneoff run` would.

    Args:
        curves: what the trials come to.
        seed: of the sweep.
        qualifying: keys of the sweep file's `qualifying`; by default as many trials as the table has of the
            method of which it has the fewest. `sampler` is `tpe` or `random`.
    """

    def __init__(self, curves: Curves, seed: int = 0, **qualifying: Any) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.curves = curves
        self.sweep = _sweep(curves, seed, qualifying)
        self.ledger = Ledger(_Unwritten(NOWHERE))
        plan = Plan(self.sweep, self.ledger.folder, "", curves.rungs)
        storage = InMemoryStorage()
        self.studies: dict[str, MethodStudy] = {
            method: _TabularStudy(self.sweep, method, curves, storage) for method in curves.methods
        }
        self.searcher = MethodSearch(plan, self.ledger, self.studies)
        settings = self.sweep.qualifying
        self.scheduler = MethodASHA(self.ledger, curves.methods, settings.reduction_factor, settings.costs)
        self._records: dict[str, str] = {}

    def propose(self, trial: str) -> tuple[str, Curve] | None:
        config = self.searcher.suggest(trial)
        if not isinstance(config, dict):
            return None
        record = self.ledger.records[config["assignment"]["trial"]]
        self._records[trial] = record.id
        return record.method, self.curve(record)

    def report(self, trial: str, rung: int) -> bool:
        """As in Tune: the scheduler is asked, then ledger and study are told, then the searcher hears."""
        record = self.ledger.records[self._records[trial]]
        report = _report(self.curve(record), rung, self.curves.rungs)
        if report["status"] == "running" and self.sweep.qualifying.scheduler == "asha":
            result = flatten_dict(told(report))
            self.scheduler.on_trial_result(None, _TuneTrial(record.id), result)  # type: ignore[arg-type]
        record = self.ledger.report(record.id, report)
        self.studies[record.method].tell(record)
        if record.status != "running":
            self.searcher.on_trial_complete(trial)
        return record.status == "running"

    def curve(self, record: Record) -> Curve:
        curves = self.curves.methods[record.method].curves
        return next(curve for curve in curves if curve.hyperparameters == record.hyperparameters)


class _TabularStudy(MethodStudy):
    def __init__(self, sweep: Sweep, method: str, curves: Curves, storage: InMemoryStorage) -> None:
        self.table = curves.methods[method]
        super().__init__(sweep, method, self.table.searched, storage=storage, budgets=curves.rungs)

    def sampler_of(self, number: int) -> BaseSampler:
        return Tabular(super().sampler_of(number), self.table.space, self.table.points)


class _Unwritten(RunFolder):
    """Keeps records in the memory of its ledger alone."""

    def write_record(self, record: Record) -> None:
        pass

    def read_records(self) -> list[Record]:
        return []


@dataclass(frozen=True)
class _TuneTrial:
    """As much of Tune's trial as the scheduler sees."""

    record: str

    @property
    def config(self) -> dict[str, Any]:
        return {"assignment": {"trial": self.record}}


def _sweep(curves: Curves, seed: int, qualifying: dict[str, Any]) -> Sweep:
    fewest = min(len(table.curves) for table in curves.methods.values())
    return Sweep.model_validate(
        {
            "name": "simulated",
            "seed": seed,
            "task": TASK,
            "methods": {name: {"base": table.base} for name, table in curves.methods.items()},
            "qualifying": {
                "trials_per_method": fewest,
                "reduction_factor": curves.reduction_factor,
                **qualifying,
            },
        }
    )


def _report(curve: Curve, rung: int, budgets: list[int]) -> dict[str, Any]:
    """What a trial would tell: see `trainables.trial.Report`."""
    is_last = rung == len(curve.scores) - 1
    end = "completed" if len(curve.scores) == len(budgets) else "diverged"
    return {
        "rung": rung,
        "examples": budgets[rung],
        "score": curve.scores[rung],
        "cost": {"train_seconds": curve.seconds[rung]},
        "status": end if is_last else "running",
        "message": None,
    }
