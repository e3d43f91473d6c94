"""Limit the time from one rung to the next: kill the worker of a trial that hangs."""

import time
from collections.abc import Callable
from typing import Any

import ray
from ray import tune
from ray.tune.experiment import Trial

from search.compat import worker_of


class Deadline(tune.Callback):
    """Kills the worker of a trial that has not reported for too long.

    The driver does it: no thread of a worker runs while a library that hangs holds the interpreter.

    Args:
        seconds: limit from a trial's start, which loads model and data, or from its last rung; None: none.
        clock: seconds that never go back.
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._since: dict[str, tuple[Trial, float]] = {}
        self._overdue: dict[str, float] = {}

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._since[trial.trial_id] = (trial, self._clock())

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        self._since[trial.trial_id] = (trial, self._clock())
        self._overdue.pop(trial.trial_id, None)

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._since.pop(trial.trial_id, None)

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._since.pop(trial.trial_id, None)

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Kill the workers that are overdue; Tune calls this several times a second."""
        if self.seconds is None:
            return
        for name, (trial, since) in self._since.items():
            waited = self._clock() - since
            worker = worker_of(trial)
            if waited > self.seconds and name not in self._overdue and worker is not None:
                self._overdue[name] = waited
                ray.kill(worker)

    def overdue_seconds(self, trial: Trial) -> float | None:
        """Return the seconds without a report after which a trial was killed; None if it was not."""
        return self._overdue.pop(trial.trial_id, None)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks; a resume begins anew."""
        return {}
