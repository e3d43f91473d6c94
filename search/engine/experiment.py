"""The only Tune experiment of tuneoff; the trial store, not Tune's own state, says what it still has to do.

Tune's own retries are not used: they neither tell whose fault it was nor know what is recorded by then.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ray import tune
from ray.exceptions import RayError
from ray.tune.execution import class_cache

from search.cluster import Cluster, Slots, disk_is_full, no_space, packed, request
from search.config import Resources
from search.engine.deadline import Deadline
from search.engine.recorder import Halt, Recorder
from search.engine.searcher import RecordQueue
from search.records import Listener, TrialStore
from search.schedulers import MethodASHA
from trainables.storage.place import remove
from trainables.trainable import FineTune

MOST_WAITING = 1000
"""Trials that may wait for a machine; how many there are is up to the searcher, see `RecordQueue.room`."""

logger = logging.getLogger(__name__)


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
        slots = packed(self.slots, self.cluster.machines(), self.resources, figures)
        return replace(self, slots=slots)

    def fit(
        self,
        searcher: RecordQueue,
        store: TrialStore,
        *,
        scheduler: MethodASHA | None = None,
        listeners: Iterable[Listener] = (),
    ) -> None:
        """Run what the searcher hands out; `listeners` hear before those of the experiment.

        It may return with work left: Ray ended it. What was done is in the trial store.

        Raises:
            SweepFailed: a trial found no space on its disk, as the others would, or Ray is lost.
        """
        deadline = Deadline(self.resources.trial_timeout)
        searcher.room = self.cluster.room(self.slots, self.resources)
        halt = Halt(lambda: self.cluster.watch.lost)
        recorder = Recorder(store, searcher, deadline, halt, [*listeners, *self.listeners], scheduler)
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the recorder tells of each failure
        remove(self.folder)
        tuner = tune.Tuner(
            tune.with_resources(self._equipped(), request(self.slots.bundle)),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=scheduler,
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
