"""The message to a worker about a method whose checks it is to run: plain data."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from trainables.task import Task


class Request(BaseModel):
    """One method of a sweep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    """A name in `trainables.methods`."""
    hyperparameters: dict[str, Any]
    """The method's default configuration, at which it is tried."""
    costliest: dict[str, Any]
    """The corner of the space that takes the most memory."""
    task: Task
    data_seed: int
    data_fingerprint: str
    """The data that the driver saw."""
    tokens: str | None = None
    """Folder of the tokens that all workers share; None: each makes its own."""
    cpus: int
    """Torch threads of a trial."""
    gpu_bytes: int | None = None
    """Memory of the smallest GPU that trials may be given, perhaps another than this one; None: unknown."""
    memory_share: float
    """Share of the device's memory that one of the trials side by side may take, over 0, at most 1."""
