"""Optuna's storage in memory, in which a trial that is paused shows what it came to."""

import copy
from collections.abc import Container
from typing import Any

from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

PAUSED = "paused"
"""The user attribute of a trial: its objectives at its pause, none where one is unknown; None: not paused."""


class PausingStorage(InMemoryStorage):
    """Shows paused trials as ended ones, for samplers learn nothing from trials that are running.

    Optuna knows no pause, and lets no trial that has ended go on: in the storage, and to those who read its
    copies, it is running.
    """

    def __init__(self) -> None:
        super().__init__()
        self._studies_of: dict[int, int] = {}
        """Trial to study, by their ids."""
        self._paused: dict[int, set[int]] = {}
        """Study to the numbers of its paused trials."""

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        super().set_trial_user_attr(trial_id, key, value)
        if key == PAUSED:
            number = self.get_trial(trial_id).number
            paused = self._paused.setdefault(self._studies_of[trial_id], set())
            paused.discard(number) if value is None else paused.add(number)

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        trial_id = super().create_new_trial(study_id, template_trial)
        self._studies_of[trial_id] = study_id
        return trial_id

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        if not (paused := self._paused.get(study_id)):
            return super().get_all_trials(study_id, deepcopy, states)
        trials = super().get_all_trials(study_id, deepcopy)
        for number in paused:
            trials[number] = _ended(trials[number])
        return [trial for trial in trials if states is None or trial.state in states]


def _ended(trial: FrozenTrial) -> FrozenTrial:
    """Show it as pruned, by what it reported; where costs count, which are not reported, as complete."""
    values = trial.user_attrs[PAUSED]
    ended = copy.copy(trial)
    ended.state = TrialState.COMPLETE if len(values) > 1 else TrialState.PRUNED
    ended.values, ended.datetime_complete = values or None, trial.datetime_start
    return ended
