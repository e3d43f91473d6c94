"""A trial's record: the plain JSON from which the trial store, the report and every resume are made."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from search.config import FORMAT, Format, refuse_newer_json, upgraded
from trainables.rung_report import Cost, Rung
from trainables.status import Status

Origin = Literal["default", "warm", "sampled", "winner", "baseline", "imported", "quoted"]
Phase = Literal["search", "final", "untuned", "audit"]
"""`untuned`: a method's default retrained and scored as its winner is in the final; `audit`: a trial of the
search that was stopped early, run on to the full budget. Neither decides anything."""
RecordId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9][A-Za-z0-9_-]*$")]
"""It names files, so nothing in it may lead out of the run folder."""


def now() -> str:
    """Return the time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def parse(content: bytes, file: object) -> "Record | None":
    """Parse what was read of `file`, and keep unknown keys; None if it is damaged.

    Raises:
        InputError: it is of a newer format.
    """
    try:
        return Record.model_validate_json(content)
    except ValidationError:
        refuse_newer_json(content, file)
        return None


class Pause(BaseModel):
    """A trial that has left its worker at a rung and may go on from its checkpoint there."""

    model_config = ConfigDict(frozen=True)


class Stop(BaseModel):
    """Why a trial was stopped early: its value at a rung was below the cut-off."""

    model_config = ConfigDict(extra="allow")

    rung: int
    value: float | None
    cut_off: float | None
    """The lowest value that would have gone on, in points; None where the value was not finite, and where
    costs counted too."""
    front: int | None = None
    """Where costs counted too: the Pareto front it lay on among the trials so far, 0 the best."""
    rank: int | None = None
    """Where trials are promoted: its place among those scored at the rung by then, 1 the best."""
    rank_by_loss: int | None = None
    """Likewise by validation loss, where the best by either are promoted."""
    of: int | None = None
    """As many trials were scored at the rung by then."""
    go_on: int | None = None
    """As many of all trials go on from the rung, the default configuration beside them."""

    @property
    def reason(self) -> str:
        """The reason in words, without the value itself."""
        if self.value is None:
            return "no finite score"
        if self.rank is not None:
            by_loss = f" by score, {self.rank_by_loss} by loss," if self.rank_by_loss else ""
            rank = f"rank {self.rank} of {self.of}{by_loss} at rung {self.rung + 1}"
            return f"not promoted: {rank}; the best {self.go_on} {'by either ' if by_loss else ''}go on"
        if self.front is not None:
            return f"on Pareto front {self.front + 1}"
        return f"not above {self.cut_off:.2f}"


class Record(BaseModel):
    """One trial of the search, or one run of what comes after it."""

    model_config = ConfigDict(extra="allow")

    format: Format = FORMAT
    id: RecordId
    """`lora/0003` in the search; `lora/seed-0` in the final, `lora/untuned-0`, `lora/audit-0003`."""
    method: str
    """The method's name in the sweep (a variant has its own)."""
    number: int
    """The trial's number within its method, also of the trial that is audited; else the seed's index."""
    phase: Phase
    split: Literal["validation", "test"]
    origin: Origin
    """`default`: the method's default configuration; `warm`: a good trial of another sweep; `winner`: a final
    of the method's best trial; `imported`: another tool's predictions, scored here; `quoted`: another tool's
    scores of the whole corpus, without predictions."""
    of_trial: RecordId | None = None
    """After the search: the trial whose hyperparameters these are."""
    hyperparameters: dict[str, Any]
    seed: int
    """Seed of the initialisation and of the data order."""
    status: Status = Status.RUNNING
    stop: Stop | None = None
    error: str | None = None
    """The traceback of the failure that ended it; or what diverged; or the bytes that could not be had."""
    failures: int = 0
    """How often it failed and was restarted from its checkpoint."""
    preemptions: int = 0
    """How often its machine was lost and it went on elsewhere; not counted as failures."""
    device_failures: int = 0
    """How often a CUDA error left its process without a device, and it went on in a new one."""
    whole_gpu: bool = False
    """Whether it ran out of memory beside others on one GPU, and is tried again with a GPU to itself."""
    remarks: list[str] = []
    """What else occurred without ending it: a damaged checkpoint that was passed over, a damaged record."""
    rungs: list[Rung] = []
    started: str
    ended: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_format(cls, content: Any) -> Any:
        return upgraded(content, phase={"qualifying": "search"})

    @property
    def score(self) -> float | None:
        """The last score reported, by which trials are ranked."""
        return self.rungs[-1].score if self.rungs else None

    @property
    def best_score(self) -> float | None:
        """The best score of any rung, shown beside the last one."""
        return max((rung.score for rung in self.rungs if rung.score is not None), default=None)

    @property
    def cost(self) -> Cost:
        """The cost figures so far."""
        return self.rungs[-1].cost if self.rungs else {}

    @property
    def is_foreign(self) -> bool:
        """Whether another tool ran it, and it was imported."""
        return self.origin in ("imported", "quoted")

    @property
    def device_seconds(self) -> float:
        """Seconds of training and evaluation so far."""
        return sum(self.cost.get(name) or 0.0 for name in ("train_seconds", "evaluation_seconds"))

    @property
    def spent_seconds(self) -> float:
        """As `device_seconds`, starting up included."""
        return (self.cost.get("startup_seconds") or 0.0) + self.device_seconds
