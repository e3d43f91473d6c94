"""`--set a.b.c=value` from the command line, laid over what the sweep file says."""

from collections.abc import Iterable
from typing import Any

from search.config import yaml_file
from search.config.format import renamed_setting
from search.config.problems import Problem
from spaces import shown


def apply_overrides(data: dict[str, Any], overrides: Iterable[str]) -> list[Problem]:
    """Set each override in `data`, its value read as YAML; returns those that cannot be set.

    An unknown key is set as it is: the sweep's validation finds it, and knows what was meant.
    """
    problems = []
    for override in overrides:
        path, equals, text = override.partition("=")
        try:
            if not equals or not all(path.split(".")):
                raise ValueError("an override is written key.of.the.sweep=value")
            _set(data, renamed_setting(path).split("."), yaml_file.parse_value(text))
        except ValueError as error:
            problems.append(Problem(f"--set {override}", str(error)))
    return problems


def _set(data: dict[str, Any], keys: list[str], value: Any) -> None:
    *parents, last = keys
    for depth, parent in enumerate(parents, start=1):
        if data.get(parent) is None:
            data[parent] = {}
        data = data[parent]
        if not isinstance(data, dict):
            raise ValueError(f"{'.'.join(keys[:depth])} has no keys, it is {shown(data)}")
    data[last] = value
