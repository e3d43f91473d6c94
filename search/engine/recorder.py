"""From Tune's events to the trial store."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial

from search.cluster import (
    DEVICE_FAILURES,
    SweepFailed,
    disk_is_full,
    failure_kind,
    memory_message,
    node_is_lost,
)
from search.compat import actor_id, worker_of
from search.config import Resources
from search.engine.deadline import Deadline
from search.engine.searcher import RecordQueue
from search.records import Event, Listener, Record, TrialStore
from search.schedulers import MethodScheduler
from trainables.rung_report import RungReport
from trainables.status import Status

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""The escape sequences with which Ray colours a worker's traceback."""
PREEMPTIONS = 50
"""Machines that a trial may lose; after so many it is the trial that brings them down."""


class Halt(tune.Stopper):
    """Ends the experiment in order once there is a reason to.

    Args:
        lost: returns why nothing can go on: Ray or the run folder is lost; None while it can.
        lose_gpu: the same after a trial's error, where its GPU and all others are gone.
    """

    def __init__(
        self,
        lost: Callable[[], SweepFailed | None],
        lose_gpu: Callable[[str], SweepFailed | None] = lambda error: None,
    ) -> None:
        self.reason: SweepFailed | None = None
        self.lose_gpu = lose_gpu
        self._lost = lost

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        self.reason = self.reason or self._lost()
        return self.reason is not None

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its stoppers; a resume begins anew."""
        return {}


class Recorder(tune.Callback):
    """Writes each result that Tune receives into the trial store, then notifies the listeners.

    Tune drops a trial that fails; here it is decided whether its record is queued again.
    """

    def __init__(
        self,
        store: TrialStore,
        queue: RecordQueue,
        resources: Resources,
        halt: Halt,
        listeners: Iterable[Listener],
        scheduler: MethodScheduler | None,
    ) -> None:
        self.store = store
        self.queue = queue
        self.deadline = Deadline(resources.trial_timeout)
        self.resources = resources
        self.halt = halt
        self.listeners = list(listeners)
        self.scheduler = scheduler
        self._actors: dict[str, str] = {}

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        known = self.store.records[_record_id(trial)]
        report: RungReport = result["report"]
        if report.status is Status.OUT_OF_MEMORY and self.queue.shares_gpus:
            self._notify("needs whole GPU", self.store.require_whole_gpu(known.id))
            return
        ends = self.scheduler.ends(known, report) if self.scheduler else None
        record = self.store.report(known.id, report, ends)
        # else a trial that was restarted repeats what it reported before
        if (record.rungs, record.status) != (known.rungs, known.status):
            self._notify("rung", record)
            self._settle()

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        if self.halt.stop_all():  # it goes on when the sweep does
            return
        record, error = self.store.records[_record_id(trial)], _traceback(trial)
        waited = self.deadline.overdue_seconds(trial)
        if waited is not None:
            self._fail(record, _timed_out(record, waited, self.deadline.seconds))
        elif failure_kind(error) == "Ray lost":
            self.halt.reason = node_is_lost()
        elif failure_kind(error) == "full disk":
            where = self.store.folder.root
            self.halt.reason = disk_is_full(where, f"{record.id}: {error.splitlines()[-1].strip()}")
        else:
            self.halt.reason = self.halt.lose_gpu(error)
            self._judge(record, error)
        self._settle()

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        record = self.store.records[_record_id(trial)]
        worker = worker_of(trial)
        assert worker is not None
        self._actors[record.id] = actor_id(worker)
        self._notify("begin", record)

    def blame(self, error: str) -> bool:
        """Judge the trial whose worker an error of the whole experiment names; False if there is none."""
        for name, actor in self._actors.items():
            if actor in error and not self.store.records[name].status.has_ended:
                self._judge(self.store.records[name], error)
                return True
        return False

    def _judge(self, record: Record, error: str) -> None:
        kind = failure_kind(error)
        if kind == "out of memory" and self.queue.shares_gpus:
            self._notify("needs whole GPU", self.store.require_whole_gpu(record.id))
        elif kind == "preemption" and record.preemptions < PREEMPTIONS:
            self._again("preempted", self.store.preempt(record.id))
        elif kind == "device failure" and record.device_failures < DEVICE_FAILURES:
            self._again("device failed", self.store.lose_device(record.id))
        elif kind not in ("preemption", "device failure") and record.failures < self.resources.max_failures:
            self._again("retry", self.store.retry(record.id))
        else:
            self._fail(record, error)

    def _again(self, event: Event, record: Record) -> None:
        self.queue.again(record)
        self._notify(event, record)

    def _fail(self, record: Record, error: str) -> None:
        if failure_kind(error) == "out of memory":
            self._notify("failed", self.store.fail(record.id, memory_message(error), Status.OUT_OF_MEMORY))
        else:
            self._notify("failed", self.store.fail(record.id, error))
            if self.resources.fail_fast:
                why = error.strip().splitlines()[-1].strip()
                self.halt.reason = SweepFailed(f"{record.id} failed, and resources.fail_fast is set: {why}")

    def _settle(self) -> None:
        """Take note of the paused trials of which it is certain now that they never go on."""
        for record in self.queue.settle():
            self._notify("not promoted", record)

    def _notify(self, event: Event, record: Record) -> None:
        for listener in self.listeners:
            listener(event, record)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks; this one's state is the trial store."""
        return {}


def _record_id(trial: Trial) -> str:
    record_id: str = trial.config["assignment"]["trial"]
    return record_id


def _traceback(trial: Trial) -> str:
    """Read the worker's traceback; Tune's own `get_error` is empty at this point."""
    file = trial.error_file
    if file is None or not Path(file).is_file():
        return "The worker died without a traceback: it was killed, or ran out of memory."
    return COLOURS.sub("", Path(file).read_text(encoding="utf-8", errors="replace")).strip()


def _timed_out(record: Record, waited: float, limit: float | None) -> str:
    since = f"rung {len(record.rungs)}" if record.rungs else "its start"
    why = f"nothing was told for {waited:.1f} s after {since}"
    return f"Timed out: {why}; resources.trial_timeout is {limit:g} s."
