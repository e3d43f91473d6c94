"""What is wrong with a sweep file: every problem at once, in words that say how to mend it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from spaces import Problem, did_you_mean, shown
from trainables.errors import InputError

__all__ = ["Problem", "SweepError", "of_validation"]

Path = tuple[int | str, ...]

MOST_SHOWN = 20
"""Problems that a message tells; `SweepError.problems` has all."""

# pydantic's error type -> the rule as a sweep's author reads it; pydantic's own words for all others.
_RULES = {
    "missing": "is required",
    "extra_forbidden": "unknown key",
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "finite_number": "must be finite",
    "literal_error": "must be {expected}",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must match {pattern}",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
}


class SweepError(InputError):
    """A sweep that cannot be run as it is written; `problems` holds all that must be mended."""

    def __init__(self, problems: Iterable[Problem], source: str):
        self.problems = list(problems)
        self.source = source
        super().__init__(self._message())

    def _message(self) -> str:
        if len(self.problems) == 1:
            return f"{self.source}: {self.problems[0]}"
        lines = [f"  {problem}" for problem in self.problems[:MOST_SHOWN]]
        if more := len(self.problems) - len(lines):
            lines.append(f"  and {more} more")
        return "\n".join([f"{self.source}: {len(self.problems)} problems", *lines])


def of_validation(error: ValidationError, model: type[BaseModel], data: Mapping[str, Any]) -> list[Problem]:
    """Tell pydantic's errors about `data` as problems, one a key path."""
    by_path: dict[Path, list[ErrorDetails]] = {}
    for detail in error.errors():
        by_path.setdefault(_path_in_file(detail, data), []).append(detail)
    return [problem for path, details in by_path.items() for problem in _problems(path, details, model)]


def _path_in_file(detail: ErrorDetails, data: Any) -> Path:
    """The location without what pydantic adds to it: the names of a union's branches.

    A validator that carries problems of its own gives their paths from the object that holds its field.
    """
    location = detail["loc"][:-1] if _nested(detail) else detail["loc"]
    path: list[int | str] = []
    for part in location:
        is_inside = (
            isinstance(part, int) if isinstance(data, list) else isinstance(data, Mapping) and part in data
        )
        if is_inside:
            data = data[part]
        elif detail["type"] != "missing" or part != location[-1]:
            continue
        path.append(part)
    return tuple(path)


def _problems(path: Path, details: list[ErrorDetails], model: type[BaseModel]) -> list[Problem]:
    """The branches of a union each have an error: the value may obey any one of them."""
    key, first = ".".join(map(str, path)), details[0]
    if nested := [problem for detail in details for problem in _nested(detail)]:
        return [problem.under(key) for problem in nested]
    rule = ", or ".join(dict.fromkeys(map(_rule, details))).replace(", or must be", ", or")
    if first["type"] == "extra_forbidden":
        return [Problem(key, rule + _known_keys(path, model))]
    if first["type"] in ("missing", "value_error"):
        return [Problem(key, rule)]
    choices = [choice for detail in details for choice in _choices(detail)]
    return [Problem(key, f"{rule}, got {shown(first['input'])}{did_you_mean(first['input'], choices)}")]


def _nested(detail: ErrorDetails) -> Iterable[Problem]:
    return getattr(detail.get("ctx", {}).get("error"), "problems", ())


def _rule(detail: ErrorDetails) -> str:
    context = dict(detail.get("ctx", {}))
    if "error" in context:
        return str(context["error"])
    if choices := _choices(detail):
        context["expected"] = f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
    rule = _RULES.get(detail["type"])
    return detail["msg"] if rule is None else rule.format(**context)


def _choices(detail: ErrorDetails) -> list[str]:
    return re.findall(r"'([^']*)'", detail.get("ctx", {}).get("expected", ""))


def _known_keys(path: Path, model: type[BaseModel]) -> str:
    owner: Any = model
    for part in path[:-1]:
        if isinstance(part, int):  # into a list, through which `_fields` looks by itself
            continue
        owner = get_args(owner)[1] if get_origin(owner) is dict else _fields(owner)[str(part)].annotation
    known = list(_fields(owner))
    return f"; the keys here are {', '.join(known)}{did_you_mean(path[-1], known)}"


def _fields(annotation: Any) -> dict[str, FieldInfo]:
    """The fields of the model that a type names, alone or within a union or a list; else none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.model_fields
    return next(filter(None, map(_fields, get_args(annotation))), {})
