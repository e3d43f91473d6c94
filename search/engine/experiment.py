"""Run trials: the only Tune experiment of tuneoff, rebuilt from the records as long as work is left.

The trial store, not Tune's own state, says what is still to do. Tune's own retries are not used: they neither
tell whose fault it was nor know what is recorded by then.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ray import tune
from ray.exceptions import RayError
from ray.tune.execution import class_cache

from search.cluster import Cluster, Slots, SweepFailed, disk_is_full, no_space, packed, request, unpacked
from search.config import Resources
from search.engine.deadline import Deadline
from search.engine.recorder import Halt, Recorder
from search.engine.searcher import RecordQueue
from search.records import Listener, Plan, TrialStore
from search.schedulers import MethodASHA
from trainables.storage.place import remove
from trainables.trainable import FineTune

ATTEMPTS = 5
"""How often a phase may end with work left and nothing new in the records before tuneoff gives up."""
MOST_WAITING = 1000
"""Trials that may wait for a machine; how many there are is up to the searcher, see `RecordQueue.room`."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What a phase has Tune run: the queue that hands out trials, what stops them early, who hears first."""

    queue: RecordQueue
    scheduler: MethodASHA | None = None
    listeners: Sequence[Listener] = ()


@dataclass(frozen=True)
class Experiment:
    """How trials are run: by which trainable, on what, and who is told."""

    trainable: type[FineTune]
    cluster: Cluster
    resources: Resources
    slots: Slots
    folder: Path
    """For Tune's own state, on this machine."""
    listeners: tuple[Listener, ...]

    def packed(self, figures: Iterable[Mapping[str, Any]]) -> "Experiment":
        """The same with several trials on a GPU, where the sweep and the memory check's figures allow it."""
        cluster = self.cluster
        slots = packed(self.slots, cluster.machines(), self.resources, figures, cluster.gpu_bytes)
        return replace(self, slots=slots)

    def unpacked(self) -> "Experiment":
        """The same with a whole GPU for each trial."""
        return replace(self, slots=unpacked(self.slots, self.cluster.machines(), self.resources))

    def fit(self, work: Work, store: TrialStore) -> None:
        """Run what the queue hands out.

        It may return with work left: Ray ended it. What was done is in the trial store.

        Raises:
            SweepFailed: a trial found no space on its disk, as the others would, or Ray is lost.
        """
        deadline = Deadline(self.resources.trial_timeout)
        work.queue.shares_gpus = self.slots.share_gpus
        work.queue.room = self.cluster.room(self.slots, self.resources)
        halt = Halt(lambda: self.cluster.watch.lost, partial(self.cluster.lose_gpu, slots=self.slots))
        listeners = [*work.listeners, *self.listeners]
        recorder = Recorder(store, work.queue, deadline, halt, listeners, work.scheduler)
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the recorder tells of each failure
        remove(self.folder)
        tuner = tune.Tuner(
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
                callbacks=[recorder, deadline],
                stop=halt,
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        )
        try:
            tuner.fit()
        except (RayError, tune.TuneError) as error:
            if line := no_space(str(error)):
                raise disk_is_full(store.folder.root, line) from error
            logger.warning("Ray ended the experiment early: %s", error)
        except RuntimeError as error:
            # Of a worker that its memory monitor killed, Tune gives up the experiment.
            if not (isinstance(error.__cause__, RayError) and recorder.blame(str(error))):
                raise
        if halt.reason is not None:
            raise halt.reason

    def _equipped(self) -> type[FineTune]:
        """The trainable with its workers' environment, by way of the object store, which is not logged.

        Tune would put the driver's AWS keys into a runtime environment, which Ray writes to a log.
        """
        class_cache.ENV_VARS_TO_PROPAGATE.clear()
        environment = self.cluster.environment()
        if not environment:
            return self.trainable
        equipped: type[FineTune] = tune.with_parameters(self.trainable, environment=environment)
        return equipped


class SweepPhase(Protocol):
    """A part of a sweep that each start may run again: the records say what is left of it."""

    def left(self, plan: Plan, store: TrialStore) -> int:
        """Count what a start would run, where nothing is left of the phases before this one."""

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
        """Get ready, once a start; return the experiment that runs the trials."""
        return experiment

    def left(self, plan: Plan, store: TrialStore) -> int:
        """Count what a start would run, without entering anything."""
        return self.unended(plan, store)

    def run(self, plan: Plan, experiment: Experiment) -> Plan:
        """Rebuild the phase from the records and run it, until nothing is left.

        Raises:
            SweepFailed: it ended too often with work left, or a disk is full.
        """
        experiment = self.prepare(plan, experiment)
        attempts, known = 0, None
        while self.unended(plan, store := TrialStore(plan.folder, plan.sweep.search.audit)):
            attempts = attempts + 1 if store.records == known else 1
            if attempts > ATTEMPTS:
                raise SweepFailed(
                    f"The {self.name} ended {ATTEMPTS} times with work left and nothing done: see "
                    f"{plan.folder.root}."
                )
            known = dict(store.records)
            left = self.unended(plan, store)
            with self.work(plan, store) as work:
                if left > len(work.queue.held_back):
                    experiment.fit(work, store)
                else:
                    work.queue.release_held_back()
                    experiment.unpacked().fit(work, store)
        return plan
