"""One Optuna study a method, rebuilt from the trial store at each start."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState

from search.config import Sweep
from search.records import Origin, Record, TrialStore, derived_seed, now
from search.samplers import BROKE, Next, Searched
from search.samplers import get as get_sampler
from search.studies.mirror import Mirror
from search.studies.paused import PAUSED
from search.studies.storage import study_storage
from spaces import Space
from trainables.errors import InputError
from trainables.status import Status

INFEASIBLE = {Status.OUT_OF_MEMORY.value: 1.0}
"""Constraint that a trial which ran out of memory violates: TPE ranks it below all that fit, however good its
early scores were (Optuna's documentation of `Trial.set_constraint`)."""


class MethodStudy:
    """One method's Optuna study: proposes trials and learns from their results.

    It is a view of the trial store: it may be deleted, or open in optuna-dashboard.
    """

    def __init__(
        self,
        sweep: Sweep,
        method: str,
        space: Space,
        *,
        storage: BaseStorage,
        budgets: list[int],
        warm: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.method = method
        self.space = space
        self.storage = storage
        self.seed = sweep.seed
        self.sampler = get_sampler(sweep.search.sampler)
        self.costs = sweep.search.costs
        self.budgets = budgets
        self.first: list[tuple[dict[str, Any], Origin]] = [
            (dict(space.default), "default"),
            *((point, "warm") for point in warm),
        ]
        searched = Searched(space, sweep.methods[method].listed)
        seed = derived_seed(sweep.seed, method, sweep.search.sampler)
        self.sequence = self.sampler.sequence(searched, seed)
        name = f"{sweep.name}/{method}"
        directions = [StudyDirection.MAXIMIZE, *[StudyDirection.MINIMIZE] * len(self.costs)]
        self.study = optuna.create_study(storage=storage, study_name=name, directions=directions)
        self._open: dict[str, optuna.Trial] = {}
        self._reported: dict[str, set[int]] = {}

    def propose(self, number: int) -> tuple[dict[str, Any], str]:
        """Propose the hyperparameters of trial `number`; return them with their origin.

        The first is the default configuration, then come those of a warm start.
        """
        assert number == len(self.study.get_trials(deepcopy=False))
        point, origin = self._given(number)
        if point is not None:
            self.study.enqueue_trial(point)
        self.study.sampler = self.sampler_of(number)
        trial = self._ask(number)
        return self.space.complete(trial.params), origin

    def _given(self, number: int) -> tuple[dict[str, Any] | None, Origin]:
        """Return a point that does not depend on earlier trials; None: one is to be sampled."""
        if number < len(self.first):
            return self.first[number]
        return self.sequence(number - len(self.first)) if self.sequence else None, "sampled"

    def sampler_of(self, number: int) -> BaseSampler:
        """Build the sampler of trial `number`, with a seed of its own: restarts change no proposal."""
        seed = derived_seed(self.seed, self.method, "propose", number)
        return self.sampler.optuna_sampler(Next(seed, number, self.budgets[-1], 1 + len(self.costs)))

    def replay(self, record: Record) -> None:
        """Add a trial of an earlier start: as it ended, or open if it is unfinished."""
        params = {name: record.hyperparameters[name] for name in self.space.distributions}
        if not record.status.has_ended:
            self.study.enqueue_trial(params)
            self._ask(record.number)
            self.tell(record)
            return
        self.study.add_trial(
            optuna.trial.create_trial(
                state=self._state(record),
                values=self._objectives(record),
                params=params,
                distributions=dict(self.space.distributions),
                intermediate_values={} if self.costs else self._values(record),
                user_attrs={"trial": record.id, **_breaks(record)},
                constraints=_constraints(record),
            )
        )

    def tell(self, record: Record) -> None:
        """Update the study from a record: its rungs, and how it ended."""
        trial = self._open[record.id]
        paused = self._so_far(record) if record.status is Status.PAUSED else None
        if paused != trial.user_attrs.get(PAUSED):
            trial.set_user_attr(PAUSED, paused)
        if not self.costs:  # Optuna takes what is reported on the way for single objectives only
            self._report(trial, record)
        if record.status.has_ended:
            for name, violation in _constraints(record).items():
                trial.set_constraint(name, violation)
            for name, value in _breaks(record).items():
                trial.set_user_attr(name, value)
            state = self._state(record)
            # Optuna itself takes a pruned trial's value from what was reported, and wants none.
            self.study.tell(trial, self._objectives(record) if state is TrialState.COMPLETE else None, state)
            del self._open[record.id]

    def _report(self, trial: optuna.Trial, record: Record) -> None:
        for step, value in self._values(record).items():
            if step not in self._reported[record.id]:
                trial.report(value, step)
                self._reported[record.id].add(step)

    def _ask(self, number: int) -> optuna.Trial:
        trial = self.study.ask(dict(self.space.distributions))
        trial.set_user_attr("trial", trial_id(self.method, number))
        self._open[trial_id(self.method, number)] = trial
        self._reported[trial_id(self.method, number)] = set()
        return trial

    def _values(self, record: Record) -> dict[int, float]:
        return {self.budgets[r.rung]: r.score for r in record.rungs if r.score is not None}

    def _objectives(self, record: Record) -> list[float] | None:
        """Return the values of a trial that ended; that of a pruned one is the last it reported.

        With several objectives a pruned one has none: its costs up to then are not those of a whole trial.
        """
        state = self._state(record)
        if state is TrialState.FAIL or (self.costs and state is TrialState.PRUNED):
            return None
        return self._so_far(record) or None

    def _so_far(self, record: Record) -> list[float]:
        """Return what was reached last of the objectives; nothing where one is unknown."""
        values = [next(reversed(self._values(record).values()), None), *map(record.cost.get, self.costs)]
        return [] if None in values else [float(value) for value in values if value is not None]

    def _state(self, record: Record) -> TrialState:
        state = TrialState[record.status.facts.optuna_state]
        unknown = [record.score, *map(record.cost.get, self.costs)].count(None)
        return TrialState.FAIL if state is TrialState.COMPLETE and unknown else state


def _constraints(record: Record) -> dict[str, float]:
    return INFEASIBLE if record.status is Status.OUT_OF_MEMORY else {}


def _breaks(record: Record) -> dict[str, bool]:
    facts = record.status.facts
    return {BROKE: True} if facts.has_failed and facts.optuna_state != "FAIL" else {}


def trial_id(method: str, number: int) -> str:
    """Build the id of a trial of the search: `lora/0003`."""
    return f"{method}/{number:04d}"


def proposal(sweep: Sweep, study: MethodStudy, number: int) -> Record:
    """Build the record of a new trial, as its method's study proposes it."""
    hyperparameters, origin = study.propose(number)
    return Record(
        id=trial_id(study.method, number),
        method=study.method,
        number=number,
        phase="search",
        split="validation",
        origin=origin,
        hyperparameters=hyperparameters,
        seed=derived_seed(sweep.seed, study.method, "qualifying", number),
        started=now(),
    )


def rebuild(sweep: Sweep, store: TrialStore, budgets: list[int]) -> dict[str, MethodStudy]:
    """Rebuild the studies of all methods from the trial store.

    A trial whose record was lost is proposed again, from the trials before it, and entered in the store.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = study_storage(sweep.search.study_storage, store.folder)
    studies, known = {}, store.folder.read_warm_start()
    for method, space in sweep.spaces().items():
        warm = known.get(method, [])
        studies[method] = MethodStudy(sweep, method, space, storage=storage, budgets=budgets, warm=warm)
        _replay(sweep, store, studies[method])
    show(studies)
    return studies


def show(studies: Mapping[str, MethodStudy]) -> None:
    """Write what has changed of the studies to the storage that others read."""
    for storage in _mirrors(studies):
        storage.show()


def show_if_due(studies: Mapping[str, MethodStudy]) -> None:
    """Write the changes once one has waited long enough; call this often."""
    for storage in _mirrors(studies):
        storage.show_if_due()


def _mirrors(studies: Mapping[str, MethodStudy]) -> set[Mirror]:
    storages = {study.storage for study in studies.values()}
    return {storage for storage in storages if isinstance(storage, Mirror)}


def _refuse_foreign(store: TrialStore, study: MethodStudy, record: Record) -> None:
    if objection := study.space.objection(record.hyperparameters):
        raise InputError(
            f"The record {store.folder.record_file(record)} is of no trial of this sweep: {objection}. "
            "Restore it, or remove it: its trial is then proposed and run again."
        )


def _replay(sweep: Sweep, store: TrialStore, study: MethodStudy) -> None:
    known = {record.number: record for record in store.search(study.method)}
    for number in range(max(known, default=-1) + 1):
        if number in known:
            _refuse_foreign(store, study, known[number])
            study.replay(known[number])
        else:
            store.begin(proposal(sweep, study, number))
            store.remark(trial_id(study.method, number), "Its record was lost: proposed and run again.")
