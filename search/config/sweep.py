"""The sweep: one YAML file, validated whole before anything is loaded or trained."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

import spaces
from search.config import locate, yaml_file
from search.config.format import FORMAT, Format, refuse_newer, renamed_settings, upgraded
from search.config.overrides import apply_overrides
from search.config.problems import Problem, SweepError, of_validation
from search.config.resources import Resources
from search.config.settings import Final, FolderName, MethodChoice, Search, Settings
from search.samplers import get as get_sampler
from trainables.storage.place import refuse_secrets
from trainables.task import Task

logger = logging.getLogger(__name__)

__all__ = ["Problem", "Sweep", "SweepError", "differences", "json_schema", "load_sweep"]

_MAY_GROW = (
    "search.trials_per_method", "search.budget.device_seconds_per_method", "final.seeds",
)  # fmt: skip
_MAY_CHANGE = (
    "resources.", "storage", "tracking", "search.study_storage", "search.audit", "final.retrain_defaults",
    "task.data", "deadline", "search.deadline",
)  # fmt: skip
"""Data may lie elsewhere: the run folder knows its fingerprint."""
_MAY_SWITCH = {"search.scheduler": {"asha", "promote"}}
"""Values between which a key may change: both leave trials that the other goes on with."""


class Sweep(Settings):
    """A fair search between fine-tuning methods on one task."""

    name: FolderName = Field(description="Name of the sweep, and of its run folder under `storage`.")
    seed: int = Field(
        0,
        ge=0,
        lt=2**32,
        description="Source of all randomness: with equal seeds a trial of equal hyperparameters has equal "
        "scores, on GPUs with task.deterministic.",
    )
    task: Task = Field(description="Model, data, prompt and metric: what is fixed for all trials.")
    methods: dict[FolderName, MethodChoice] = Field(
        description="The methods to compare: a list of names, or by name what of a method is searched; {} "
        "searches its whole space.",
        json_schema_extra={"minProperties": 1},
    )
    search: Search = Field(Search(), description="The search phase, on validation data.")
    final: Final = Field(Final(), description="The winners' retraining, on test data.")
    resources: Resources = Field(Resources(), description="What one trial may use.")
    deadline: float | None = Field(
        None,
        gt=0,
        description="Seconds that a run or resume may take, preflight checks included; then nothing begins, "
        "trials of the search leave at their next rung, runs of the final end, and the report is written; "
        "null: no limit.",
    )
    storage: str = Field(
        "runs",
        min_length=1,
        description="Folder of the run folders: a path, or a URL such as s3://bucket/runs.",
    )
    tracking: list[Literal["mlflow", "wandb"]] = Field(
        [],
        description="Experiment trackers that are told of every trial; their own environment variables say "
        "where it is kept, and with whose key.",
    )
    imported: bool = Field(
        False,
        description="Whether the run folder holds results of other tools alone, which `tuneoff import` says "
        "there; not needed.",
        validate_default=True,
    )
    format: Format = Field(FORMAT, description="Format of this file, which a run folder says; not needed.")

    @field_validator("methods", mode="before")
    @classmethod
    def _base_is_the_name_unless_given(cls, methods: object) -> object:
        """Says each method's base, so that each can be checked on its own; `full:` alone means `full: {}`."""
        if isinstance(methods, list):
            raise ValueError(
                f"must be a mapping of keys to values, or a list of names, got {spaces.shown(methods)}"
            )
        if not isinstance(methods, dict):
            return methods
        return {
            name: {"base": name, **(choice or {})} if isinstance(choice, dict | None) else choice
            for name, choice in methods.items()
        }

    @field_validator("methods")
    @classmethod
    def _leave_baseline_to_the_untrained_model(
        cls, methods: dict[str, MethodChoice]
    ) -> dict[str, MethodChoice]:
        if "baseline" in methods:
            raise ValueError("must not name a method baseline: the report calls the untrained model so")
        return methods

    @field_validator("storage")
    @classmethod
    def _holds_no_secret(cls, storage: str) -> str:
        refuse_secrets(storage)
        return storage

    @field_validator("search")
    @classmethod
    def _suits_task_and_methods(cls, search: Search, info: ValidationInfo) -> Search:
        task, problems = info.data.get("task"), []
        if task and search.objectives and search.objectives[0] != task.metric:
            rule = f"must begin with task.metric, {task.metric}"
            given = spaces.shown(search.objectives[0])
            problems.append(Problem("search.objectives", f"{rule}, got {given}"))
        for name, choice in info.data.get("methods", {}).items():
            if objection := get_sampler(search.sampler).objection(choice.searched()):
                problems.append(Problem(f"methods.{name}.space", objection))
        if problems:
            raise spaces.ProblemsError(problems)
        return search

    @field_validator("imported")
    @classmethod
    def _or_has_methods(cls, imported: bool, info: ValidationInfo) -> bool:
        if not imported and info.data.get("methods") == {}:
            raise spaces.ProblemsError([Problem("methods", "must not be empty, got {}")])
        return imported

    @property
    def folder(self) -> str:
        """The run folder, where no other is named: `<storage>/<name>`."""
        return f"{self.storage.rstrip('/')}/{self.name}"

    def spaces(self) -> dict[str, spaces.Space]:
        """What is searched for each method, by its name in this sweep."""
        return {name: choice.narrowed() for name, choice in self.methods.items()}

    def base_of(self, method: str) -> str:
        """The method that goes under the name `method` in this sweep."""
        return self.methods[method].base

    def to_yaml(self) -> str:
        """The whole sweep with its defaults written out; `from_yaml` reads it back."""
        return yaml_file.dump(self.model_dump(mode="json"))

    @classmethod
    def parsed(cls, content: dict[str, Any], source: str) -> "Sweep":
        """A sweep from its keys and values; SweepError naming `source` where it is none."""
        return _validated(content, source, [])

    @classmethod
    def from_yaml(cls, text: str | bytes, source: str = "sweep") -> "Sweep":
        """A sweep from its own text: paths are taken as they are, and need not exist any more."""
        data = yaml_file.parse(text, source)
        renamed_settings(data)
        return _validated(data, source, [])


def load_sweep(path: str | Path, overrides: Iterable[str] = (), *, elsewhere: bool = False) -> Sweep:
    """The sweep in the file `path`, or the bundled sweep of that name, with `a.b.c=value` overrides.

    `elsewhere`: it is run on other machines, where data files may lie that are not here.

    Raises:
        SweepError: with all that is wrong, missing data files included.
    """
    file = locate.sweep_file(path)
    data = yaml_file.parse(locate.read(file), str(file))
    for old, new in renamed_settings(data):
        logger.warning("%s: `%s` is called `%s` now.", file, old, new)
    problems = [
        *_named_methods(data),
        *apply_overrides(data, overrides),
        *_named_methods(data),
        *locate.resolve(data, file.parent, elsewhere=elsewhere),
    ]
    sweep = _validated(data, str(file), problems)
    if sweep.imported:
        raise SweepError(
            [Problem("imported", "must not be true: nothing can be run of imported results")], str(file)
        )
    return sweep


def _named_methods(data: dict[str, Any]) -> list[Problem]:
    """Write `methods: [lora, full]` as the mapping that it means, in place; returns the names said twice."""
    names = data.get("methods")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return []
    twice = dict.fromkeys(name for place, name in enumerate(names) if name in names[:place])
    data["methods"] = {name: {} for name in names}
    return [Problem(f"methods.{name}", "is named twice") for name in twice]


def _validated(data: dict[str, Any], source: str, problems: list[Problem]) -> Sweep:
    refuse_newer(data, source)
    data = upgraded(data)
    try:
        sweep = Sweep.model_validate(data)
    except ValidationError as error:
        raise SweepError([*problems, *of_validation(error, Sweep, data)], source) from error
    if problems:
        raise SweepError(problems, source)
    return sweep


def json_schema() -> dict[str, Any]:
    """The JSON schema of sweep files, from which editors complete keys and check values."""
    schema = Sweep.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    choice = schema["$defs"]["MethodChoice"]
    choice["properties"]["base"]["enum"] = spaces.available()
    choice.pop("required")  # `base` is the method's name unless given
    known = {name: {"$ref": "#/$defs/MethodChoice"} for name in spaces.available()}
    mapping = schema["properties"]["methods"]
    mapping["properties"] = known
    names = {"type": "array", "items": {"enum": spaces.available()}, "minItems": 1, "uniqueItems": True}
    schema["properties"]["methods"] = {
        "description": mapping.pop("description"),
        "anyOf": [mapping, names],
    }
    return schema


def differences(old: Sweep, new: Sweep) -> list[Problem]:
    """What keeps `new` from continuing the run folder of `old`.

    Budgets and seeds may grow, methods may be added, and where a sweep runs may change: what was searched
    and measured stays true. All else would mix two experiments in one folder.
    """
    removed = [name for name in old.methods if name not in new.methods]
    problems = [
        Problem(f"methods.{name}", "must not be removed: its trials are in the folder") for name in removed
    ]
    before, after = (dict(_leaves(sweep.model_dump(mode="json"))) for sweep in (old, new))
    for path in dict.fromkeys([*before, *after]):
        parts = path.split(".")
        if parts[0] == "methods" and not (parts[1] in old.methods and parts[1] in new.methods):
            continue
        if rule := _broken_rule(path, before.get(path), after.get(path)):
            problems.append(Problem(path, f"{rule}; was {_told(before, path)}, now {_told(after, path)}"))
    return problems


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _broken_rule(path: str, old: Any, new: Any) -> str | None:
    if old == new or path.startswith(_MAY_CHANGE):
        return None
    if path in _MAY_GROW:
        return "may only grow" if old is None or new is None or new < old else None
    if path in _MAY_SWITCH:
        among = _MAY_SWITCH[path]
        return None if {old, new} <= among else f"may change between {' and '.join(sorted(among))} only"
    return "must not change"


def _told(leaves: Mapping[str, Any], path: str) -> str:
    return spaces.shown(leaves[path]) if path in leaves else "unset"
