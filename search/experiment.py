"""The only Tune experiment of tuneoff; the ledger, not Tune's own state, says what it still has to do."""

import logging
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ray import tune
from ray.exceptions import RayError

from search.cluster import Slots
from search.ledger import Ledger
from search.recorder import Listener, Recorder
from search.scheduler import MethodASHA
from search.searcher import RecordQueue
from trainables.trainable import FineTune

RETRIES = 2
"""How often a trial that fails is taken up again from its checkpoint."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Experiment:
    """How trials are run: by which trainable, on what, and who is told."""

    trainable: type[FineTune]
    slots: Slots
    folder: Path
    listeners: tuple[Listener, ...]

    def fit(
        self,
        searcher: RecordQueue,
        ledger: Ledger,
        samples: int,
        *,
        scheduler: MethodASHA | None = None,
        listeners: Iterable[Listener] = (),
    ) -> None:
        """Run `samples` trials of the searcher; `listeners` hear before those of the experiment.

        It may return with work left: Ray ended it. What was done is in the ledger.
        """
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the recorder tells of each failure
        shutil.rmtree(self.folder / "experiment", ignore_errors=True)
        tuner = tune.Tuner(
            tune.with_resources(self.trainable, {"cpu": self.slots.cpus, "gpu": self.slots.gpus}),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=scheduler,
                num_samples=samples,
                max_concurrent_trials=self.slots.concurrent,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="experiment",
                storage_path=str(self.folder),
                callbacks=[Recorder(ledger, [*listeners, *self.listeners])],
                failure_config=tune.FailureConfig(max_failures=RETRIES),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        )
        try:
            tuner.fit()
        except (RayError, tune.TuneError) as error:
            logger.warning("Ray ended the experiment early: %s", error)
