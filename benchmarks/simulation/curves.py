"""Recorded learning curves as a small JSON file of numbers."""

from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

import spaces
from trainables.errors import InputError
from trainables.storage.atomic import write_text


class Curve(BaseModel):
    """One trial, run to the end: what it came to at each rung, and what that cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hyperparameters: dict[str, spaces.Value]
    """Those that are searched."""
    scores: list[float | None] = Field(min_length=1)
    """Points at each rung; None: not finite. Fewer than there are rungs: there it diverged."""
    losses: list[float | None] = []
    """Cross-entropy of the validation examples at each rung, nats a token."""
    seconds: list[float]
    """Device seconds of training and evaluation up to each rung."""

    @model_validator(mode="after")
    def _is_a_curve(self) -> "Curve":
        if len(self.seconds) != len(self.scores):
            raise ValueError("`seconds` and `scores` must be equally many, one a rung")
        if any(later <= earlier for earlier, later in zip([0.0, *self.seconds], self.seconds, strict=False)):
            raise ValueError("`seconds` must rise from rung to rung: they count from the trial's start")
        return self


class MethodCurves(BaseModel):
    """What is recorded of one method."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    base: str
    """The method, where `name` in the sweep is that of a variant."""
    space: dict[str, BaseDistribution]
    """What was searched, in Optuna's own JSON: the ranges of the code may be others by now."""
    curves: list[Curve] = Field(min_length=1)
    """The first is that of the default configuration."""

    @field_validator("space", mode="before")
    @classmethod
    def _read(cls, space: dict[str, Any]) -> dict[str, Any]:
        return {
            name: json_to_distribution(part) if isinstance(part, str) else part
            for name, part in space.items()
        }

    @field_serializer("space")
    def _written(self, space: dict[str, BaseDistribution]) -> dict[str, str]:
        return {name: distribution_to_json(part) for name, part in space.items()}

    @property
    def searched(self) -> spaces.Space:
        """The space as a study wants it, with the default that was recorded."""
        return spaces.Space(self.base, self.space, self.curves[0].hyperparameters)

    @property
    def points(self) -> list[dict[str, spaces.Value]]:
        return [curve.hyperparameters for curve in self.curves]


class Curves(BaseModel):
    """A table of learning curves, as `tuneoff` recorded them in one sweep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    seconds: str
    """How the device seconds came about."""
    rungs: list[int]
    """Budgets in examples, rising."""
    reduction_factor: int
    methods: dict[str, MethodCurves]


def read(file: Path) -> Curves:
    """The curves in `file`.

    Raises:
        InputError: there is no such file, or something else is in it.
    """
    try:
        return Curves.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            f"{file} holds no curves ({error}). "
            "`python -m benchmarks.search --record RUN_FOLDER --curves FILE` writes such a file."
        ) from error


def write(file: Path, curves: Curves) -> None:
    write_text(file, curves.model_dump_json() + "\n")
