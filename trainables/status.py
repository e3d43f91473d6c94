"""How a trial stands, and all that follows from it: the one place that lists the statuses."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What follows from a status."""

    title: str
    """Heading of its column in the report."""
    optuna_state: Literal["RUNNING", "COMPLETE", "PRUNED", "FAIL"]
    """Name of the `optuna.trial.TrialState` that a study is told."""
    fate: Literal["completed", "stopped early", "failed"]
    """What a chart draws the trial as; one that has not ended counts as completed so far."""
    colour: Literal["", "green", "yellow", "red"] = ""
    """Rich's name of the colour of its word on the console."""
    has_failed: bool = False
    """The trial came to no score that counts; a later start tries such a run of the final again."""
    tells_quality: bool = False
    """Something is known of how good the hyperparameters are, if only that they are bad."""
    reason: str = "no reason was recorded"
    """What the report says where the record holds no error."""


class Status(StrEnum):
    """A trial's status: its value is the word in records, tables and reports."""

    RUNNING = "running"
    """Not ended: a worker has it, or it waits for one."""
    PAUSED = "paused"
    """Scored at a rung, its checkpoint kept: it goes on once it is among the best there."""
    COMPLETED = "completed"
    """Trained on its full budget and scored: it may win, and its costs are those of a whole run."""
    STOPPED = "stopped"
    """The scheduler ended it at a rung."""
    DIVERGED = "diverged"
    """A loss or a score was not finite."""
    OUT_OF_MEMORY = "out_of_memory"
    """It did not fit into memory; a study is told which constraint it violates."""
    FAILED = "failed"
    """It failed for good for any other reason: of its hyperparameters nothing is known."""

    @property
    def has_ended(self) -> bool:
        """Whether no worker will report on the trial any more."""
        return self not in (Status.RUNNING, Status.PAUSED)

    @property
    def facts(self) -> Facts:
        """What follows from it."""
        return _FACTS[self]


_FACTS = {
    Status.RUNNING: Facts(title="Running", optuna_state="RUNNING", fate="completed"),
    Status.PAUSED: Facts(title="Paused", optuna_state="RUNNING", fate="completed", colour="yellow"),
    Status.COMPLETED: Facts(
        title="Completed", optuna_state="COMPLETE", fate="completed", colour="green", tells_quality=True
    ),
    Status.STOPPED: Facts(
        title="Stopped early",
        optuna_state="PRUNED",
        fate="stopped early",
        colour="yellow",
        tells_quality=True,
    ),
    Status.DIVERGED: Facts(
        title="Diverged",
        optuna_state="PRUNED",  # TPE ranks a pruned trial with few or no values below all others
        fate="failed",
        colour="red",
        has_failed=True,
        tells_quality=True,
        reason="a loss or score was not finite",
    ),
    Status.OUT_OF_MEMORY: Facts(
        title="Out of memory", optuna_state="PRUNED", fate="failed", colour="red", has_failed=True
    ),
    Status.FAILED: Facts(title="Failed", optuna_state="FAIL", fate="failed", colour="red", has_failed=True),
}
