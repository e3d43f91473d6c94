"""From Tune's events to the ledger."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from ray import tune
from ray.tune.experiment import Trial

from search.ledger import Ledger
from search.records import Record

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""The escape sequences with which Ray colours a worker's traceback."""

Event = Literal["begin", "rung", "retry", "failed"]
Listener = Callable[[Event, Record], None]
"""Told of an event, with the record as it is after it."""


class Recorder(tune.Callback):
    """Writes each result into the ledger as Tune hears of it, then tells the listeners."""

    def __init__(self, ledger: Ledger, listeners: Iterable[Listener]) -> None:
        self.ledger = ledger
        self.listeners = list(listeners)

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        known = self.ledger.records[_record_id(trial)]
        record = self.ledger.report(known.id, result["report"])
        if record is not known:  # else a trial that was taken up again repeats what it told before
            self._tell("rung", record)

    def on_trial_recover(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._tell("retry", self.ledger.retry(_record_id(trial)))

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._tell("failed", self.ledger.fail(_record_id(trial), _traceback(trial)))

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._tell("begin", self.ledger.records[_record_id(trial)])

    def _tell(self, event: Event, record: Record) -> None:
        for listener in self.listeners:
            listener(event, record)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks; this one's state is the ledger."""
        return {}


def _record_id(trial: Trial) -> str:
    record_id: str = trial.config["assignment"]["trial"]
    return record_id


def _traceback(trial: Trial) -> str:
    """The worker's traceback; Tune's own `get_error` is empty at this point."""
    file = trial.error_file
    if file is None or not Path(file).is_file():
        return "The worker died without a traceback: it was killed, or ran out of memory."
    return COLOURS.sub("", Path(file).read_text(encoding="utf-8", errors="replace")).strip()
