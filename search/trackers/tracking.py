"""Send every trial to the experiment trackers that `tracking` names: MLflow, Weights & Biases.

They get what TensorBoard gets, and no text of data or models. Their own environment variables say where they
keep it and with whose key: a sweep file, and so a run folder, holds no credential.

A tracker is one file here: `ERRORS`, what it raises where it cannot be reached or used, and `Tracker`.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from queue import SimpleQueue
from threading import Thread
from typing import Protocol
from uuid import NAMESPACE_URL, uuid5

from search.records import Event, Listener, Plan, Record
from search.trackers.tensorboard import scalars
from trainables.errors import InputError
from trainables.status import Status

CLOSE_SECONDS = 60.0
"""How long the end of a sweep waits for a tracker that has not taken everything yet."""

logger = logging.getLogger(__name__)


class Run(Protocol):
    """A trial as a tracker keeps it."""

    next_step: int
    """It has every rung of fewer examples than these."""

    def log(self, values: dict[str, float], examples: int) -> None:
        """Add a rung."""

    def end(self, status: Status) -> None:
        """Close it; `running`: the sweep was interrupted, and the next start opens it again."""


class Tracker(Protocol):
    """A connection to one tracker, used by one thread."""

    def open(self, key: str, record: Record) -> Run:
        """The run that an earlier start made under `key`, else a new one, with its hyperparameters."""


def check_trackers(names: Iterable[str]) -> None:
    """Raise InputError where the library of a tracker is not installed."""
    for name in names:
        spec = find_spec(name)
        if spec is None or spec.origin is None:  # `wandb` is also the folder that it leaves
            raise InputError(
                f"tracking: {name} is not installed. Install tuneoff[{name}], or take it out of the list."
            )


@contextmanager
def tracked(plan: Plan) -> Iterator[list[Listener]]:
    """A listener for each tracker of the sweep, for the length of the block."""
    with ExitStack() as stack:
        yield [stack.enter_context(_told(name, plan)) for name in sorted(set(plan.sweep.tracking))]


@contextmanager
def _told(name: str, plan: Plan) -> Iterator[Listener]:
    """A listener that hands records to a thread: no trial waits for a library's import or for a network.

    A tracker that raises is off until the next start. So is one that hangs, once the block has ended.
    """
    records: SimpleQueue[Record | None] = SimpleQueue()
    thread = Thread(target=_work, args=(name, plan, records), name=name, daemon=True)

    def listen(event: Event, record: Record) -> None:
        if thread.is_alive():
            records.put(record)

    thread.start()
    try:
        yield listen
    finally:
        records.put(None)
        thread.join(CLOSE_SECONDS)
        if thread.is_alive():
            logger.warning(
                "%s has not taken everything in %g s: the rest is lost to it.", name, CLOSE_SECONDS
            )


def _work(name: str, plan: Plan, records: "SimpleQueue[Record | None]") -> None:
    module = import_module(f"search.trackers.{name}")
    try:
        _send(module.Tracker(plan.sweep.name), plan, iter(records.get, None))
    except module.ERRORS as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        logger.warning("%s is off until the next start: %s", name, reason)


def _send(tracker: Tracker, plan: Plan, records: Iterable[Record]) -> None:
    """Bring each run up to its record, rungs that an earlier start could not send included."""
    runs: dict[str, Run] = {}
    for record in records:
        run = runs.pop(record.id, None) or tracker.open(_key(plan, record), record)
        for rung in record.rungs:
            if rung.examples >= run.next_step:
                run.log(dict(scalars(record, rung)), rung.examples)
        if not record.status.has_ended:
            runs[record.id] = run
        else:
            run.end(record.status)
    for run in runs.values():
        run.end(Status.RUNNING)


def _key(plan: Plan, record: Record) -> str:
    """Of this trial and no other, also of a sweep of the same name; the same when its folder was moved.

    A run of the final that is done anew, for another winner, is another run.
    """
    sweep = (
        plan.sweep.name,
        plan.sweep.task.model,
        plan.data_fingerprint,
        plan.folder.read_provenance()["started"],
    )
    return uuid5(NAMESPACE_URL, json.dumps([*sweep, record.id, record.started, record.seed])).hex


def labels(record: Record) -> dict[str, str]:
    """What a run is found by: which method's, in which phase, where its hyperparameters came from."""
    known = {"method": record.method, "phase": record.phase, "origin": record.origin}
    return known | ({"of_trial": record.of_trial} if record.of_trial else {})
