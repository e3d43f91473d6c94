"""Write the reference pages from what the program itself knows: the JSON schema and the search spaces."""

import json
from collections.abc import Iterator
from typing import Any

import spaces
from search.config import json_schema

SECTIONS = ("task", "methods", "search", "final", "resources")
"""Keys of a sweep file that hold keys of their own, in the order of a sweep file."""

Schema = dict[str, Any]


def sweep_file() -> str:
    """Write a section for each part of a sweep file, a row a key: values, default, meaning."""
    schema = json_schema()
    definitions, top = schema["$defs"], schema["properties"]
    plain = {key: value for key, value in top.items() if key not in SECTIONS and key != "format"}
    parts = [_part("At the top", "", plain, schema.get("required", []))]
    for key in SECTIONS:
        named = definitions["MethodChoice" if key == "methods" else _target(top[key])]
        title = f"`{key}`" if key != "methods" else "`methods`: for each name"
        about = top[key]["description"] if key == "methods" else named["description"]
        parts.append(_part(title, about, named["properties"], named.get("required", []), definitions))
    return "\n\n".join(["# Every key of a sweep file", _INTRODUCTION, *parts]) + "\n"


_INTRODUCTION = """Generated from the schema that `tuneoff schema` prints. A key that is left out has its
default; `*` marks those that a sweep must name. `tuneoff run SWEEP --set search.trials_per_method=4`
overrides one."""


def _part(
    title: str, about: str, properties: Schema, required: list[str], definitions: Schema | None = None
) -> str:
    rows = ["| Key | Values | Default | Meaning |", "| --- | --- | --- | --- |"]
    for key, value in properties.items():
        choices = _escaped(", ".join(_values(value, definitions or {})))
        default = f"`{json.dumps(value['default'])}`" if "default" in value else ""
        star = "*" if key in required else ""
        rows.append(f"| `{key}`{star} | {choices} | {_escaped(default)} | {_escaped(value['description'])} |")
    return "\n\n".join(filter(None, [f"## {title}", about, "\n".join(rows)]))


def _target(value: Schema) -> str:
    return str(value["$ref"].rsplit("/", 1)[-1])


def _values(value: Schema, definitions: Schema) -> Iterator[str]:
    """List what a key may hold, in words and literals."""
    if "$ref" in value:
        named = definitions[_target(value)]
        yield "{" + ", ".join(named["properties"]) + "}"
    elif "enum" in value:
        yield from (f"`{json.dumps(choice)}`" for choice in value["enum"])
    elif "const" in value:
        yield f"`{json.dumps(value['const'])}`"
    elif alternatives := value.get("anyOf") or value.get("oneOf"):
        for alternative in alternatives:
            yield from _values(alternative, definitions)
    elif value.get("type") == "array":
        yield f"list of {' or '.join(_values(value.get('items', {}), definitions)) or 'anything'}"
    else:
        yield _WORDS[value["type"]] + _limits(value)


_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true`, `false`",
    "object": "mapping",
    "null": "`null`",
}


def _limits(value: Schema) -> str:
    limits = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    return "".join(f" {word} {value[key]}" for key, word in limits.items() if key in value)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def methods() -> str:
    """Write a section for each method: its paper, what a model must have, its space and default."""
    names = ", ".join(f"[`{name}`](#{name})" for name in spaces.available())
    common = ", ".join(f"`{name}`" for name in spaces.COMMON)
    head = f"# Methods\n\nAll {len(spaces.available())}: {names}.\n\n{_METHODS.format(common=common)}"
    return "\n\n".join([head, *map(_method, spaces.available())]) + "\n"


_METHODS = """Generated from `spaces/`, where each range names its source. All methods search {common} too,
which are listed with `full` only. A sweep narrows a range under `space`, and takes a hyperparameter out of
the search under `fix`: `{{base: lora, fix: {{targets: attention}}}}`."""


def _method(name: str) -> str:
    space, needed = spaces.get(name), spaces.needs(name)
    about = f"{spaces.summary(name)}." + (f" Needs a model with {needed}." if needed else "")
    rows = ["| Hyperparameter | Searched | Default |", "| --- | --- | --- |"]
    for key, distribution in space.distributions.items():
        if key in spaces.COMMON and name != "full":
            continue
        rows.append(f"| `{key}` | {_escaped(spaces.describe(distribution))} | `{space.default[key]}` |")
    return f"## {name}\n\n{about}\n\n" + "\n".join(rows)
