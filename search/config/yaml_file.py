"""YAML as sweep files use it: safe, limited, with numbers like 1e-3, and without a key that hides another.

A sweep file may come from elsewhere. Ten lines of aliases can stand for more values than memory holds, so the
limits are kept before anything is built.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from search.config.problems import Problem, SweepError
from spaces import ProblemsError, shown
from trainables.amounts import number

_EXPONENT_WITHOUT_POINT = re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$")
_FIRST_CHARACTERS = list("-+0123456789")
_UNFIT = re.compile("[\\0\ud800-\udfff]")
"""NUL, and halves of characters."""
MOST_BYTES = 2**20
MOST_NODES = 10_000
"""Keys and values, with each alias counted as what it stands for."""
MOST_DEPTH = 30
_UNREADABLE = (yaml.YAMLError, ValueError, LookupError, AttributeError, OverflowError)
"""What PyYAML raises besides its own errors, for values such as 2026-02-30, `!!int ''` or `!!bool foo`."""


class _Loader(yaml.SafeLoader):
    """Reads 1e-3 as a number: YAML 1.1, which PyYAML follows, wants 1.0e-3 and takes the rest for text."""


class _Dumper(yaml.SafeDumper):
    """Quotes the text "1e-3", which `_Loader` would read as a number."""


for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT_WITHOUT_POINT, _FIRST_CHARACTERS)


def dump(content: dict[str, Any]) -> str:
    """YAML text that `parse` turns into an equal mapping, its keys in the order given."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def parse(text: str | bytes, source: str) -> dict[str, Any]:
    """A YAML mapping; SweepError naming `source` where the text is no mapping or says a key twice."""
    try:
        content = parse_value(text)
    except ProblemsError as error:
        raise SweepError(error.problems, source) from error
    if not isinstance(content, dict):
        raise SweepError([Problem("", f"must be a mapping of keys to values, got {shown(content)}")], source)
    return content


def parse_value(text: str | bytes) -> Any:
    """Any YAML value; ProblemsError where the text is too large, does not parse or says a key twice."""
    try:
        _keep_to_limits(text)
        loader = _Loader(text)
        node = loader.get_single_node()
        value = loader.construct_document(node) if node else None
    except ProblemsError:
        raise
    except _UNREADABLE as error:
        raise ProblemsError([Problem("", f"does not parse as YAML{_reason(error)}")]) from error
    if duplicates := list(_duplicates(node, "", set())):
        raise ProblemsError(duplicates)
    return value


def _keep_to_limits(text: str | bytes) -> None:
    """Count by events, of which PyYAML makes one after the other, without recursion."""
    if len(text) > MOST_BYTES:
        raise ProblemsError([Problem("", "is larger than 1 MB: name data by its file")])
    sizes: dict[str, int] = {}
    counts, open_anchors = [0], [""]
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in open_anchors:
                raise ProblemsError([Problem("", f"the alias *{event.anchor} refers to itself")])
            counts[-1] += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            counts.append(1)
            open_anchors.append(event.anchor or "")
        elif isinstance(event, yaml.ScalarEvent):
            if unfit := _UNFIT.search(event.value):
                raise ProblemsError([Problem("", f"holds {unfit[0]!r}, which no text or path may hold")])
            counts[-1] += 1
            sizes[event.anchor or ""] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            size, anchor = counts.pop(), open_anchors.pop()
            counts[-1] += size
            sizes[anchor] = size
        if len(counts) > MOST_DEPTH:
            raise ProblemsError([Problem("", f"is nested more than {MOST_DEPTH} levels deep")])
        if sum(counts) > MOST_NODES:
            raise ProblemsError([Problem("", f"holds more than {number(MOST_NODES)} values")])


def _reason(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f" at line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return f": {' '.join(str(error).split())}"


def _duplicates(node: yaml.Node | None, path: str, seen: set[int]) -> Iterator[Problem]:
    """The keys said twice, of which YAML would silently keep the last; `seen` ends the loops of aliases."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _duplicates(item, f"{path}.{number}", seen)
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            here, line = f"{path}.{key.value}".lstrip("."), key.start_mark.line + 1
            if key.value in lines:
                yield Problem(here, f"given twice, on lines {lines[key.value]} and {line}")
            lines[key.value] = line
            yield from _duplicates(value, here, seen)
