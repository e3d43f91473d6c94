"""A search driven as Tune drives it, but without Ray: trials report when a test tells them to."""

from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from search.config.sweep import Sweep
from search.engine.searcher import MethodSearch
from search.records.plan import Plan
from search.records.record import Record, Stop
from search.records.run_folder import RunFolder
from search.records.trial_store import TrialStore
from search.schedulers import scheduler_of
from search.studies.study import rebuild
from tests.search.replay import RUNGS, curve
from trainables.rung_report import RungReport

FIXED = {"warmup_ratio": 0.05, "weight_decay": 0.0, "schedule": "linear"}
NARROW = {"full": {"fix": FIXED}, "lora": {"fix": {**FIXED, "alpha_ratio": 2, "dropout": 0.0, "rank": 8}}}
"""Two methods with little to search: each value that is asked costs the study some milliseconds."""

RATES = [1e-4, 2e-4, 3e-4, 5e-4]
LISTS = {"learning_rate": RATES, "batch_size": [8, 16]}
LISTED = {method: {**choice, "space": LISTS} for method, choice in NARROW.items()}
"""The same with a grid of eight points each."""
WEIGHED = {"objectives": ["rougeL", {"cost": "train_seconds", "direction": "min"}]}


def cost(hyperparameters: dict[str, Any], examples: int) -> float:
    """Seconds after so many examples: the better half of the learning rates is the dearer one."""
    return examples * (1 + 1000 * hyperparameters["learning_rate"])


class Driven:
    """A search whose trials report when they are told to; `restart` forgets all but the records."""

    def __init__(self, root: Path, settings: Sweep) -> None:
        self.plan = Plan(settings, RunFolder(root), "fingerprint", RUNGS)
        root.mkdir(parents=True, exist_ok=True)
        self.restart()

    def restart(self) -> None:
        self.store = TrialStore(self.plan.folder)
        self.studies = rebuild(self.plan.sweep, self.store, RUNGS)
        self.scheduler = scheduler_of(self.plan.sweep, self.store)
        self.search = MethodSearch(self.plan, self.store, self.studies, self.scheduler)

    def begin(self) -> Record | None:
        """The next trial, as Tune asks for it."""
        config = self.search.suggest("tune's own id")
        known = config not in (None, Searcher.FINISHED)
        return self.store.records[config["assignment"]["trial"]] if known else None

    def report(self, trial: str, status: str = "running", stop: Stop | None = None, **changes: Any) -> Record:
        record = self.store.records[trial]
        rung = len(record.rungs)
        score = curve(record.method, record.hyperparameters, RUNGS[rung])
        report = {"rung": rung, "examples": RUNGS[rung], "score": score, "status": status}
        report["cost"] = {"train_seconds": cost(record.hyperparameters, RUNGS[rung])}
        record = self.store.report(trial, RungReport.model_validate(report | changes), stop)
        self.studies[record.method].tell(record)
        return record

    def end(self, trial: str, how: str) -> Record:
        """Take a trial to one of the ends that the trial store knows."""
        if how == "failed":
            record = self.store.fail(trial, "Traceback: it broke")
            self.studies[record.method].tell(record)
            return record
        if how == "stopped":
            return self.report(trial, stop=Stop(rung=0, value=1, cut_off=2))
        if how in ("diverged", "out_of_memory"):
            return self.report(trial, how, score=None)
        while len(self.store.records[trial].rungs) < len(RUNGS) - 1:
            self.report(trial)
        return self.report(trial, "completed", **({"score": None} if how == "has no score" else {}))

    def seen(self, method: str) -> list[dict[str, Any]]:
        """What a reader of the study sees of its trials."""
        return [
            {
                "number": trial.number,
                "params": trial.params,
                "state": trial.state,
                "values": trial.values,
                "intermediate_values": trial.intermediate_values,
                "constraints": trial.constraints,
                "trial": trial.user_attrs["trial"],
            }
            for trial in self.studies[method].study.trials
        ]
