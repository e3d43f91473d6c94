"""The message to a worker about one trial: plain data, so that nothing but text is sent."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from trainables.data import Split
from trainables.task import Task


class Assignment(BaseModel):
    """One trial of the search or one run of the final."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trial: str
    """The record's id, for messages."""
    task: Task
    data_seed: int
    """Seed of carved splits and of the evaluated subset: the same for all trials of a sweep."""
    data_fingerprint: str
    """The data that the driver saw; a worker that loads other data refuses to train on it."""
    tokens: str | None = None
    """Folder of the tokens that all workers share; None: each makes its own."""
    method: str | None
    """A name in `trainables.methods`; None evaluates the untrained model."""
    hyperparameters: dict[str, Any]
    seed: int
    """Seed of the initialisation and of the data order."""
    micro_batch: int | None = None
    """Examples per forward pass of a training step; None: the task's `micro_batch_size`."""
    rungs: list[int]
    """Budgets in examples seen at which the trial is saved; the last is the full budget."""
    rungs_told: int
    """Rungs whose reports the driver has; a checkpoint may remember more."""
    split: Split
    evaluation_limit: int | None
    """Examples of `split` to score; None: all."""
    evaluate_at_end_only: bool
    checkpoints: str
    """Folder of the trial's own checkpoints."""
    output: str | None
    """Folder for predictions and the adapter at the end; None keeps neither."""
    cpus: int
    """Torch threads: never more than the CPUs that the trial was given."""
