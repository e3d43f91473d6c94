"""The parts of a sweep file: how methods are searched, and what the final does."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

import spaces
from search.samplers import Searched
from search.samplers import available as available_samplers
from search.samplers import get as get_sampler
from trainables.cost.declared import searched

_SECRET = re.compile("pass|pwd|secret|token|key", re.IGNORECASE)
"""By what the keys of a URL's query are known that hold what nobody else should read."""
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

    @property
    def listed(self) -> list[str]:
        """Hyperparameters whose choices are listed under `space`."""
        return [name for name, part in self.space.items() if isinstance(part, list)]

    def searched(self) -> Searched:
        """What a sampler is asked about."""
        return Searched(self.narrowed(), self.listed)


class Budget(Settings):
    """What each method may spend on its search, instead of a number of trials."""

    device_seconds_per_method: float = Field(
        gt=0,
        description="A method begins trials until those it has begun took so long: starting up, training and "
        "evaluation on their device.",
    )


class CostObjective(Settings):
    """A cost of a trial that its search weighs against quality."""

    cost: Literal[tuple(searched())] = Field(  # type: ignore[valid-type]  # as many as are declared
        description="As the records name it."
    )
    direction: Literal["min"] = Field("min", description="A cost is always to be low.")


def _samplers_in_words() -> str:
    *others, last = (get_sampler(name).summary for name in available_samplers())
    return f"{', '.join(others)}, or {last}"


class Search(Settings):
    """The search: trials of each method, scored on validation data, the losers stopped early."""

    budget: Budget | None = Field(None, description="A time for each method, instead of trials_per_method.")
    trials_per_method: Count | None = Field(
        16,
        description="Trials of each method, its default configuration among them; null where there is a "
        "budget.",
    )
    objectives: list[str | CostObjective] = Field(
        [],
        description="What is searched for: the task's metric, then costs such as {cost: train_seconds}, each "
        "in a Pareto sense. Left out, the metric alone.",
    )
    max_epochs: float = Field(3, gt=0, description="Full budget of a trial, in passes over the train split.")
    reduction_factor: int = Field(
        3,
        ge=2,
        description="One in so many trials passes a rung; the next rung is so many times larger.",
    )
    first_rung: float = Field(
        0.11, gt=0, le=1, description="The first rung, as a share of the full budget; 1 stops no trial."
    )
    validation_samples: CountOrAll = Field(256, description="Validation examples scored at each rung.")
    sampler: str = Field(
        "tpe",
        description=f"What proposes hyperparameters: {_samplers_in_words()}.",
        json_schema_extra={"enum": [*available_samplers()]},
    )
    warm_start: str | None = Field(
        None,
        min_length=1,
        description="Run folder of another sweep: the best trials of its methods are tried first.",
    )
    scheduler: Literal["asha", "promote", "none"] = Field(
        "asha",
        description="asha: at a rung stops trials that are not among the best so far. promote: pauses all "
        "at the first rung, and the best go on. none: every trial uses its full budget.",
    )
    promote_by: Literal["score", "score or loss"] = Field(
        "score or loss",
        description="Who goes on with promote: the best by score, or the best by either score or loss.",
    )
    deadline: float | None = Field(
        None,
        gt=0,
        description="Seconds that the search may take, of each run or resume; then no trial begins, those "
        "that run leave at their next rung, and the final follows; null: no limit.",
    )
    audit: int = Field(
        0,
        ge=0,
        description="Stopped trials of each method that are run to the end after the search, to see what "
        "early stopping missed.",
    )
    study_storage: str | None = Field(
        None, description="URL of a database for the Optuna studies; null: study.log in the run folder."
    )

    @model_validator(mode="before")
    @classmethod
    def _time_or_trials(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("budget") is None:
            return data
        if data.get("trials_per_method") is not None:
            raise ValueError("budget and trials_per_method exclude each other: leave one of them out")
        return {**data, "trials_per_method": None}

    @field_validator("trials_per_method")
    @classmethod
    def _is_needed_without_a_budget(cls, trials: int | None, info: ValidationInfo) -> int | None:
        if trials is None and info.data.get("budget") is None:
            raise ValueError("must be a whole number, unless there is a budget of seconds")
        return trials

    @field_validator("scheduler")
    @classmethod
    def _knows_how_many_trials_come(cls, scheduler: str, info: ValidationInfo) -> str:
        if scheduler == "promote" and info.data.get("budget") is not None:
            rule = "must be asha or none with a budget: promote needs to know how many trials come"
            raise ValueError(f"{rule}. Set trials_per_method in place of the budget, or scheduler: asha")
        return scheduler

    @field_validator("sampler", mode="before")
    @classmethod
    def _is_a_sampler(cls, sampler: object) -> object:
        choices = available_samplers()
        if sampler not in choices:
            raise ValueError(
                f"must be one of {', '.join(choices)}, got {spaces.shown(sampler)}"
                f"{spaces.did_you_mean(sampler, choices)}"
            )
        return sampler

    @field_validator("objectives")
    @classmethod
    def _are_one_metric_and_costs(cls, objectives: list[Any]) -> list[Any]:
        costs = [objective.cost for objective in objectives[1:] if isinstance(objective, CostObjective)]
        if objectives and (not isinstance(objectives[0], str) or len(costs) < len(objectives) - 1):
            raise ValueError("must be the task's metric first, then costs: [rougeL, {cost: train_seconds}]")
        if len(set(costs)) < len(costs):
            raise ValueError("must name each cost once")
        return objectives

    @property
    def costs(self) -> list[str]:
        """The costs that are searched for beside quality."""
        return [objective.cost for objective in self.objectives if isinstance(objective, CostObjective)]

    @field_validator("study_storage")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url is not None and "://" not in url:
            raise ValueError(f"must be a URL such as sqlite:///study.db, got {spaces.shown(url)}")
        if url is not None and not all(secret.startswith("$") for secret in _secrets(url)):
            raise ValueError(
                "must not hold a password, which would stand in the run folder: write ${NAME} for that of an "
                "environment variable"
            )
        return url


def _secrets(url: str) -> list[str]:
    """What a URL of a database holds for passwords: in its user part, and in its query."""
    parts = urlsplit(url)
    in_query = [value for name, value in parse_qsl(parts.query) if _SECRET.search(name)]
    return [*filter(None, [parts.password]), *in_query]


class Final(Settings):
    """Each method's winner, retrained at full budget and scored on the test split."""

    seeds: Count = Field(
        3,
        description="Retrainings of each winner: seeds 0, 1, ... give its spread; one alone tells no methods "
        "apart.",
    )
    test_samples: CountOrAll = Field("all", description="Test examples scored.")
    retrain_defaults: bool = Field(
        False,
        description="Retrain each method's default configuration as well; doubles what the final costs.",
    )
