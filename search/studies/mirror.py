"""Keep studies in memory and copy them, a moment later, to a journal or a database.

Asking and telling takes sixteen lines of a journal a trial, or transactions of a database; entering a trial
that has ended takes one. Nothing is read back: the records are the truth, the copy a view for
optuna-dashboard.
"""

import copy
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.studies.paused import PausingStorage

SECONDS = 1.0


class Mirror(PausingStorage):
    """Studies in memory, a storage which copies itself to `database`.

    Replaces a study of the same name in the database; a study that is deleted there is no longer copied.

    Args:
        database: the copy, which other processes read.
        seconds: how long a change may wait to be written together with others.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        database: BaseStorage,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.database = database
        self.seconds = seconds
        self._clock = clock
        self._studies_there: dict[int, int] = {}
        self._there: dict[int, tuple[int, FrozenTrial]] = {}
        """Unfinished trials in the database: their ids there, and what is written of them."""
        self._changed: set[int] = set()
        self._due = float("inf")

    def show_if_due(self) -> None:
        """Write all changes once the oldest has waited long enough; call this often."""
        if self._clock() >= self._due:
            self.show()

    def show(self) -> None:
        """Write all changes."""
        changed, self._changed, self._due = self._changed, set(), float("inf")
        for trial_id in sorted(changed):
            with suppress(KeyError):  # a reader may delete a study, or rename it, which deletes it
                self._write(trial_id, super().get_trial(trial_id))

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a copy: Optuna's `Trial` changes what it is given, but stored trials are only replaced."""
        trial = copy.copy(super().get_trial(trial_id))
        trial.params, trial.distributions = dict(trial.params), dict(trial.distributions)
        trial.user_attrs, trial.system_attrs = dict(trial.user_attrs), dict(trial.system_attrs)
        trial.intermediate_values = dict(trial.intermediate_values)
        return trial

    def _write(self, trial_id: int, trial: FrozenTrial) -> None:
        if trial.state is TrialState.WAITING:  # enqueued, and about to be asked for
            return
        if trial_id in self._there:
            there, old = self._there.pop(trial_id)
            self._write_changes(there, old, trial)
        else:
            study = self._studies_there[self._studies_of[trial_id]]
            there = self.database.create_new_trial(study, template_trial=trial)
        if not trial.state.is_finished():
            self._there[trial_id] = there, trial

    def _write_changes(self, there: int, old: FrozenTrial, new: FrozenTrial) -> None:
        database = self.database
        for name in new.params.keys() - old.params.keys():
            value = new.distributions[name].to_internal_repr(new.params[name])
            database.set_trial_param(there, name, value, new.distributions[name])
        for step in new.intermediate_values.keys() - old.intermediate_values.keys():
            database.set_trial_intermediate_value(there, step, new.intermediate_values[step])
        for name, value in new.user_attrs.items():
            if name not in old.user_attrs or value != old.user_attrs[name]:
                database.set_trial_user_attr(there, name, value)
        for name in new.system_attrs.keys() - old.system_attrs.keys():
            database.set_trial_system_attr(there, name, new.system_attrs[name])
        if new.state.is_finished():
            database.set_trial_state_values(there, new.state, new.values)

    def _touch(self, trial_id: int) -> None:
        self._changed.add(trial_id)
        self._due = min(self._due, self._clock() + self.seconds)

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        if study_name is not None:
            with suppress(KeyError):  # there is none of that name
                self.database.delete_study(self.database.get_study_id_from_name(study_name))
        study_id = super().create_new_study(directions, study_name)
        self._studies_there[study_id] = self.database.create_new_study(directions, study_name)
        return study_id

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        trial_id = super().create_new_trial(study_id, template_trial)
        self._touch(trial_id)
        return trial_id

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        super().set_trial_param(trial_id, param_name, param_value_internal, distribution)
        self._touch(trial_id)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        is_set = super().set_trial_state_values(trial_id, state, values)
        self._touch(trial_id)
        return is_set

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        super().set_trial_intermediate_value(trial_id, step, intermediate_value)
        self._touch(trial_id)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        super().set_trial_user_attr(trial_id, key, value)
        self._touch(trial_id)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        super().set_trial_system_attr(trial_id, key, value)
        self._touch(trial_id)
