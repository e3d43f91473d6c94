"""MLflow: an experiment a sweep. `MLFLOW_TRACKING_URI` says where, by default in `mlflow.db` of this folder.

`MLFLOW_EXPERIMENT_NAME` names another experiment; the user's own active one is left alone.
"""

import logging
import os
import time

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from search.records import Record
from search.trackers.tracking import labels
from trainables.status import Status

ERRORS = (MlflowException, SQLAlchemyError, OSError, ImportError)
"""Of its server; of a database, its file and its driver."""
KEY, NEXT_STEP = "tuneoff.key", "tuneoff.next_step"
ENDS = {Status.COMPLETED: "FINISHED", Status.STOPPED: "FINISHED", Status.RUNNING: "KILLED"}
"""How MLflow names an end; all others have failed."""


class Tracker:
    """The sweep's experiment."""

    def __init__(self, sweep: str) -> None:
        logging.getLogger("mlflow").setLevel(logging.ERROR)  # it tells of tables made and calls tried again
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", sweep)
        self._client = MlflowClient()
        known = self._client.get_experiment_by_name(name)
        self._experiment = known.experiment_id if known else self._client.create_experiment(name)

    def open(self, key: str, record: Record) -> "Run":
        found = self._client.search_runs([self._experiment], f"tags.`{KEY}` = '{key}'", max_results=1)
        if found:
            run = found[0]
            self._client.update_run(run.info.run_id, "RUNNING")
        else:
            tags = {KEY: key, **labels(record)}
            run = self._client.create_run(self._experiment, tags=tags, run_name=record.id)
        params = [Param(name, str(value)) for name, value in record.hyperparameters.items()]
        self._client.log_batch(run.info.run_id, params=params)
        return Run(self._client, run.info.run_id, int(run.data.tags.get(NEXT_STEP, 0)))


class Run:
    """A run, which knows by a tag which rungs it has."""

    def __init__(self, client: MlflowClient, run_id: str, next_step: int) -> None:
        self._client = client
        self._id = run_id
        self.next_step = next_step

    def log(self, values: dict[str, float], examples: int) -> None:
        self.next_step = examples + 1
        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, examples) for name, value in values.items()]
        self._client.log_batch(self._id, metrics, tags=[RunTag(NEXT_STEP, str(self.next_step))])

    def end(self, status: Status) -> None:
        self._client.set_tag(self._id, "status", status.value)
        self._client.set_terminated(self._id, ENDS.get(status, "FAILED"))
