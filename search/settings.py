"""The parts of a sweep file: how methods are searched, what the final does, what a trial may use."""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

import spaces

_FOLDER_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


def _is_folder_name(name: str) -> str:
    if not re.fullmatch(_FOLDER_NAME, name):
        raise ValueError(
            "must be letters, digits, '_' and '-', the first a letter or a digit, "
            f"because it names a folder; got {spaces.shown(name)}"
        )
    return name


FolderName = Annotated[
    str, AfterValidator(_is_folder_name), WithJsonSchema({"type": "string", "pattern": _FOLDER_NAME})
]
Count = Annotated[int, Field(ge=1)]
CountOrAll = Count | Literal["all"]


class Settings(BaseModel):
    """Frozen data in which an unknown key, or a value of another type, is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class MethodChoice(Settings):
    """A method of the sweep: which one, and what part of its space is searched."""

    base: str = Field(description="The method under a name of your own; left out, the name is the method.")
    space: dict[str, Any] = Field(
        {}, description="Narrows what is searched: hyperparameter to a list of choices or to {low, high}."
    )
    fix: dict[str, Any] = Field(
        {},
        description="Takes out of the search: hyperparameter to the value it keeps.",
        validate_default=True,
    )

    @field_validator("base")
    @classmethod
    def _is_known(cls, base: str) -> str:
        spaces.get(base)
        return base

    @field_validator("fix")
    @classmethod
    def _lies_inside_the_space(cls, fix: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Judges `space` too: a model's own validator would wait until its every key is known."""
        if {"base", "space"} <= info.data.keys():
            spaces.get(info.data["base"]).narrow(info.data["space"], fix)
        return fix

    def narrowed(self) -> spaces.Space:
        """The part of the method's space that this sweep searches."""
        return spaces.get(self.base).narrow(self.space, self.fix)


class Qualifying(Settings):
    """The search: trials of each method, scored on validation data, the losers stopped early."""

    trials_per_method: Count = Field(16, description="Trials of each method, its untuned default among them.")
    max_epochs: float = Field(3, gt=0, description="Full budget of a trial, in passes over the train split.")
    reduction_factor: int = Field(
        3,
        ge=2,
        description="ASHA: one in so many trials passes a rung; the next rung is so many times larger.",
    )
    first_rung: float = Field(
        0.11, gt=0, le=1, description="ASHA: the first rung, as a share of the full budget; 1 stops no trial."
    )
    validation_samples: CountOrAll = Field(256, description="Validation examples scored at each rung.")
    sampler: Literal["tpe", "random", "qmc"] = Field(
        "tpe", description="What proposes hyperparameters: TPE, random search, or a quasi-random sequence."
    )
    scheduler: Literal["asha", "none"] = Field(
        "asha", description="What stops trials early; none: every trial uses its full budget."
    )
    study_storage: str | None = Field(
        None, description="Optuna storage URL for the studies; null: study.db in the run folder."
    )

    @field_validator("study_storage")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url is not None and "://" not in url:
            raise ValueError(f"must be a URL such as sqlite:///study.db, got {spaces.shown(url)}")
        return url


class Final(Settings):
    """Each method's winner, retrained at full budget and scored on the test split."""

    seeds: Count = Field(3, description="Retrainings of each winner: seeds 0, 1, ... give its spread.")
    test_samples: CountOrAll = Field("all", description="Test examples scored.")


class Resources(Settings):
    """What one trial may use, and how many run at a time."""

    cpus_per_trial: Count = Field(1, description="CPU cores, and torch threads, of a trial.")
    gpus_per_trial: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        "auto", description="GPUs of a trial, a fraction to share one; auto: one where there are any."
    )
    concurrent_trials: Count | Literal["auto"] = Field(
        "auto", description="Trials at a time; auto: as many as the resources hold."
    )
