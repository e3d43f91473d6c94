"""What a trial reports at a rung: one message from the worker to the record, the scheduler and the report."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from trainables.accelerator import Accelerator
from trainables.status import Status

Precision = Literal["fp32", "bf16", "fp16"]
Cost = dict[str, float | int | None]
"""What a trial spent, by figure; each key names its unit (`train_seconds`). None: could not be measured."""


class Rung(BaseModel):
    """A trial scored at one budget. Scores are in points, 0 to 100; `cost` is cumulative up to here."""

    model_config = ConfigDict(extra="allow")

    rung: int
    examples: int
    """Training examples seen when it was scored."""
    score: float | None
    """The task's metric; None where it was not finite."""
    scores: dict[str, float | None] = {}
    """The metric's whole family; None where one was not finite."""
    loss: float | None = None
    """Cross-entropy of the evaluated split, nats a target token, without any method's penalty."""
    train_loss: float | None = None
    """Mean cross-entropy of the training steps since the previous rung, nats a target token."""
    capped_share: float | None = None
    """Share of the generated texts that were cut at the generation cap."""
    cost: Cost = {}
    accelerator: Accelerator | None = None
    """The GPU that it was trained on up to here, and who shared it when it was scored; None: a CPU."""
    precision: Precision | None = None
    """Of matrix products: what `auto` came to where it ran; None: not recorded, as by earlier versions."""


class RungReport(Rung):
    """A rung, and what became of the trial there.

    Checkpoints keep the reports that came before them, as flat JSON: new fields need a default.
    """

    status: Literal[Status.RUNNING, Status.COMPLETED, Status.DIVERGED, Status.OUT_OF_MEMORY]
    """`running`: there are further rungs; each other status ends the trial."""
    message: str | None = None
    """Why it ended early: what diverged, or the bytes that were not to be had."""
    remarks: list[str] = []
    """What happened to the trial without ending it, such as a damaged checkpoint that was passed over."""

    def result(self) -> Rung:
        """The rung alone, as a record keeps it."""
        return Rung.model_validate(self.model_dump(exclude={"status", "message", "remarks"}))
