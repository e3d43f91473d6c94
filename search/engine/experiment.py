"""Run trials: the only Tune experiment of tuneoff, rebuilt from the records as long as work is left.

The trial store, not Tune's own state, says what is left. Tune's own retries are not used: they know neither
whose fault a failure was nor what is recorded by then.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ray import tune
from ray.exceptions import RayError

from search.cluster import Cluster, Slots, SweepFailed, disk_is_full, no_space, packed, request, unpacked
from search.compat import keep_keys_from_runtime_env
from search.config import Resources
from search.engine.recorder import Halt, Recorder
from search.engine.searcher import RecordQueue
from search.engine.time_limit import TimeLimit
from search.records import Listener, Plan, RunFolder, TrialStore
from search.schedulers import MethodScheduler
from trainables.storage.place import remove
from trainables.trainable import FineTune

ATTEMPTS = 5
"""How often a phase may end with work left and nothing new in the records before tuneoff gives up."""
MOST_WAITING = 1000
"""Trials that Tune may hold at a time; `RecordQueue.room` limits how many run."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What Tune runs for a phase: the queue of trials, their early stopping, the listeners called first."""

    queue: RecordQueue
    scheduler: MethodScheduler | None = None
    listeners: Sequence[Listener] = ()


@dataclass(frozen=True)
class Experiment:
    """How trials are run: the trainable, the cluster and its slots, the listeners."""

    trainable: type[FineTune]
    cluster: Cluster
    resources: Resources
    slots: Slots
    folder: Path
    """For Tune's own state, on this machine."""
    listeners: tuple[Listener, ...]
    limit: TimeLimit = field(default_factory=TimeLimit)

    def packed(self, figures: Iterable[Mapping[str, Any]]) -> "Experiment":
        """Return a copy with several trials on a GPU, where the sweep and the memory check allow it."""
        cluster = self.cluster
        slots = packed(self.slots, cluster.machines(), self.resources, figures, cluster.gpu_bytes)
        return replace(self, slots=slots)

    def unpacked(self) -> "Experiment":
        """Return a copy with a whole GPU for each trial."""
        return replace(self, slots=unpacked(self.slots, self.cluster.machines(), self.resources))

    def fit(self, work: Work, store: TrialStore) -> None:
        """Run the trials that the queue hands out, until the limit; those of the search end at a rung.

        May return with work left, also if Ray ended the experiment; what was done is in the trial store.

        Raises:
            SweepFailed: a disk is full, the run folder was removed, Ray is lost, or a trial failed and
                `resources.fail_fast` is set.
        """
        work.queue.shares_gpus = self.slots.share_gpus
        halt = Halt(
            lambda: self.cluster.watch.lost or _folder_is_gone(store.folder),
            partial(self.cluster.lose_gpu, slots=self.slots),
        )
        listeners = [*work.listeners, *self.listeners]
        recorder = Recorder(store, work.queue, self.resources, halt, listeners, work.scheduler)
        work.queue.room = self.cluster.room(self.slots, self.resources)
        work.queue.is_over = self.limit.has_passed
        if work.scheduler:
            work.scheduler.is_over = self.limit.has_passed
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the recorder reports each failure
        remove(self.folder)
        _run_until_tune_ends(self._tuner(work, [recorder, recorder.deadline], halt), recorder)
        if halt.reason is not None:
            raise halt.reason

    def _tuner(self, work: Work, callbacks: list[tune.Callback], halt: Halt) -> tune.Tuner:
        """Build an experiment without retries, checkpoints and limits of Tune's own."""
        return tune.Tuner(
            tune.with_resources(self._equipped(), request(self.slots.bundle)),
            tune_config=tune.TuneConfig(
                search_alg=work.queue,
                scheduler=work.scheduler,
                num_samples=-1,  # until the searcher has finished
                max_concurrent_trials=MOST_WAITING,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="experiment",
                storage_path=str(self.folder),
                callbacks=callbacks,
                stop=halt,
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        )

    def _equipped(self) -> type[FineTune]:
        """The trainable with its workers' environment, by way of the object store, which is not logged."""
        keep_keys_from_runtime_env()
        environment = self.cluster.environment()
        if not environment:
            return self.trainable
        equipped: type[FineTune] = tune.with_parameters(self.trainable, environment=environment)
        return equipped


def _run_until_tune_ends(tuner: tune.Tuner, recorder: Recorder) -> None:
    """Run the experiment; what Ray ends early goes on from the records.

    Raises:
        SweepFailed: the disk of Tune's own state is full.
    """
    try:
        tuner.fit()
    except (RayError, tune.TuneError) as error:
        if line := no_space(str(error)):
            raise disk_is_full(recorder.store.folder.root, line) from error
        logger.warning("Ray ended the experiment early: %s", error)
    except RuntimeError as error:
        # Tune gives up the experiment when Ray's memory monitor has killed a worker.
        if not (isinstance(error.__cause__, RayError) and recorder.blame(str(error))):
            raise


def _folder_is_gone(folder: RunFolder) -> SweepFailed | None:
    """Build the error for a run folder that was removed under a sweep, which would make half of it anew."""
    if folder.is_there():
        return None
    return SweepFailed(f"The run folder {folder.root} was removed while its sweep ran: nothing can go on.")


class SweepPhase(Protocol):
    """A part of a sweep; each start runs what is left of it by the records."""

    def left(self, plan: Plan, store: TrialStore) -> int:
        """Count what a start would run, if nothing is left of the phases before this one."""

    def run(self, plan: Plan, experiment: Experiment) -> Plan:
        """Run what is left; return the plan for the phases after this one."""


class TrialPhase(ABC):
    """A phase that consists of trials."""

    name: ClassVar[str]

    @abstractmethod
    def unended(self, plan: Plan, store: TrialStore) -> int:
        """Count the trials that have not ended; one that failed has."""

    @abstractmethod
    def work(self, plan: Plan, store: TrialStore) -> AbstractContextManager[Work]:
        """Make the work of one experiment from the records."""

    def prepare(self, plan: Plan, experiment: Experiment) -> Experiment:
        """Prepare the phase, once a start; return the experiment that runs the trials."""
        return experiment

    def left(self, plan: Plan, store: TrialStore) -> int:
        """Count what a start would run, without entering anything."""
        return self.unended(plan, store)

    def run(self, plan: Plan, experiment: Experiment) -> Plan:
        """Rebuild the phase from the records and run it, until nothing is left or the time is over.

        Raises:
            SweepFailed: it ended too often with work left, or a disk is full.
        """
        limit = experiment.limit
        if not limit.has_passed():
            limit = self._run(plan, self.prepare(plan, experiment))
        if limit.has_passed() and (left := self.left(plan, TrialStore(plan.folder))):
            logger.warning(
                "The time is over (%s): of the %s %d trials are left. Go on with: tuneoff resume %s",
                limit.words, self.name, left, plan.folder.root,
            )  # fmt: skip
        return plan

    def _run(self, plan: Plan, experiment: Experiment) -> TimeLimit:
        attempts, known = 0, None
        while self.unended(plan, store := TrialStore(plan.folder, plan.sweep.search.audit)):
            if experiment.limit.has_passed():
                break
            attempts = attempts + 1 if store.records == known else 1
            if attempts > ATTEMPTS:
                raise SweepFailed(
                    f"The {self.name} ended {ATTEMPTS} times with work left and nothing done: see "
                    f"{plan.folder.root}."
                )
            known = dict(store.records)
            with self.work(plan, store) as work:
                if work.queue.has_next() or not work.queue.held_back:
                    experiment.fit(work, store)
                else:
                    work.queue.release_held_back()
                    experiment.unpacked().fit(work, store)
        return experiment.limit
