"""One Optuna study a method, rebuilt from the ledger at each start."""

from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from search.config import Sweep
from search.ledger import Ledger
from search.records import Record
from search.samplers import guided_or_random, sobol_point
from search.seeds import derived_seed
from search.store import RunFolder
from spaces import Space
from trainables.errors import InputError

STATES = {
    "completed": TrialState.COMPLETE,
    "stopped": TrialState.PRUNED,
    "diverged": TrialState.PRUNED,
    "out_of_memory": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
"""How a trial's end is told. A diverged one is worse than any other, which TPE learns from a pruned trial
with few or no values; of a failed one nothing is known."""
INFEASIBLE = {"out_of_memory": 1.0}
"""The constraint that a trial which did not fit into memory violates: TPE ranks it below all that did,
however good its early scores were (Optuna's documentation of `Trial.set_constraint`)."""


class MethodStudy:
    """The search of one method: what is proposed next, and what came of it.

    The study is a view of the ledger: it may be deleted, and open in optuna-dashboard.
    """

    def __init__(
        self, sweep: Sweep, method: str, space: Space, *, storage: BaseStorage, budgets: list[int]
    ) -> None:
        self.method = method
        self.space = space
        self.seed = sweep.seed
        self.sampler = sweep.qualifying.sampler
        self.budgets = budgets
        name = f"{sweep.name}/{method}"
        if name in optuna.get_all_study_names(storage):
            optuna.delete_study(study_name=name, storage=storage)
        self.study = optuna.create_study(storage=storage, study_name=name, direction="maximize")
        self._open: dict[str, optuna.Trial] = {}
        self._told: dict[str, set[int]] = {}

    def propose(self, number: int) -> tuple[dict[str, Any], str]:
        """Hyperparameters of trial `number` and where they come from: the first is the untuned default."""
        assert number == len(self.study.get_trials(deepcopy=False))
        origin = "sampled" if number else "default"
        if origin == "default":
            self.study.enqueue_trial(dict(self.space.default))
        elif self.sampler == "qmc":
            seed = derived_seed(self.seed, self.method, "qmc")
            self.study.enqueue_trial(sobol_point(self.space.distributions, number - 1, seed))
        self.study.sampler = guided_or_random(
            "random" if self.sampler == "qmc" else self.sampler,
            derived_seed(self.seed, self.method, "propose", number),
        )
        trial = self._ask(number)
        return self.space.complete(trial.params), origin

    def replay(self, record: Record) -> None:
        """Enter a trial of an earlier start: told as it ended, or open where it is unfinished."""
        params = {name: record.hyperparameters[name] for name in self.space.distributions}
        if record.status == "running":
            self.study.enqueue_trial(params)
            self._ask(record.number)
            self.tell(record)
            return
        self.study.add_trial(
            optuna.trial.create_trial(
                state=self._state(record),
                value=self._value(record),
                params=params,
                distributions=dict(self.space.distributions),
                intermediate_values=self._values(record),
                user_attrs={"trial": record.id},
                constraints=_constraints(record),
            )
        )

    def tell(self, record: Record) -> None:
        """Bring the study up to what the record says: its rungs, and how it ended."""
        trial = self._open[record.id]
        for step, value in self._values(record).items():
            if step not in self._told[record.id]:
                trial.report(value, step)
                self._told[record.id].add(step)
        if record.status != "running":
            for name, violation in _constraints(record).items():
                trial.set_constraint(name, violation)
            state = self._state(record)
            # Optuna itself takes a pruned trial's value from what was reported, and wants none.
            self.study.tell(trial, record.score if state is TrialState.COMPLETE else None, state)
            del self._open[record.id]

    def _ask(self, number: int) -> optuna.Trial:
        trial = self.study.ask(dict(self.space.distributions))
        trial.set_user_attr("trial", trial_id(self.method, number))
        self._open[trial_id(self.method, number)] = trial
        self._told[trial_id(self.method, number)] = set()
        return trial

    def _values(self, record: Record) -> dict[int, float]:
        return {self.budgets[r.rung]: r.score for r in record.rungs if r.score is not None}

    def _value(self, record: Record) -> float | None:
        """The value of a trial that ended, as `tell` leaves it: a pruned one's is the last it reported."""
        if self._state(record) is TrialState.FAIL:
            return None
        return next(reversed(self._values(record).values()), None)

    def _state(self, record: Record) -> TrialState:
        state = STATES[record.status]
        return TrialState.FAIL if state is TrialState.COMPLETE and record.score is None else state


def _constraints(record: Record) -> dict[str, float]:
    return INFEASIBLE if record.status == "out_of_memory" else {}


def trial_id(method: str, number: int) -> str:
    """The id of a trial of the qualifying: `lora/0003`."""
    return f"{method}/{number:04d}"


def rebuild(sweep: Sweep, ledger: Ledger, budgets: list[int]) -> dict[str, MethodStudy]:
    """The studies of all methods, as the ledger has them."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = _storage(sweep.qualifying.study_storage, ledger.folder)
    studies = {}
    for method, space in sweep.spaces().items():
        studies[method] = MethodStudy(sweep, method, space, storage=storage, budgets=budgets)
        for record in ledger.qualifying(method):
            studies[method].replay(record)
    return studies


def _storage(url: str | None, folder: RunFolder) -> BaseStorage:
    if url is None:
        folder.study_file.unlink(missing_ok=True)
        url = f"sqlite:///{folder.study_file}"
    try:
        return optuna.storages.get_storage(url)
    except (ImportError, ValueError, RuntimeError, SQLAlchemyError) as error:
        raise InputError(f"qualifying.study_storage: {url!r} cannot be opened: {error}") from error
