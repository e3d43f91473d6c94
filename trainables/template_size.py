"""How large what a template makes would be, found before it is made."""

import re
from collections.abc import Callable, Iterable, Sized
from itertools import chain
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.utils import Namespace

from trainables.amounts import number

MOST_CHARACTERS = 10_000_000
"""Of any value within a template, and of its output: many times the longest document of a data set."""
MOST_NUMBER = 1_000_000
"""Largest number that a filter or a method is given: widths, counts, places."""
PLACE = 64
"""Characters that a place in a list counts as: it takes memory and time too."""


class TemplateLimit(SecurityError):
    """A template that takes more than a template may."""


def size(value: Any, most: int = MOST_CHARACTERS) -> int:
    """Count the characters of a value, those within lists as often as they are named; stop above `most`.

    Raises:
        TemplateLimit: a namespace is within: what it holds may still grow.
    """
    if isinstance(value, (str, bytes, range)):
        return len(value)
    if isinstance(value, int):
        return _number_size(value.bit_length())
    if isinstance(value, Namespace):
        raise TemplateLimit("puts a namespace into another value")
    if not isinstance(value, (dict, list, tuple, set, frozenset)):
        return 1
    total = 2 + PLACE * len(value)
    for item in chain.from_iterable(value.items()) if isinstance(value, dict) else value:
        total += size(item, most - total)
        if total > most:
            break
    return total


def check_size(characters: float) -> None:
    """Refuse what is larger than a template's value may be.

    Raises:
        TemplateLimit: it is.
    """
    if characters > MOST_CHARACTERS:
        raise TemplateLimit(f"makes a value of more than {number(MOST_CHARACTERS)} characters")


def check_call(name: str, given: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Refuse a filter or a text's method whose result would be too large.

    Args:
        name: of the filter; of a method with a dot before it.
        given: the arguments, what it is applied to first.
        named: those by keyword.

    Raises:
        TemplateLimit: it would be, or a number given is too large.
    """
    arguments = (*given[1:], *named.values())
    if any(isinstance(one, int) and abs(one) > MOST_NUMBER for one in arguments):
        raise TemplateLimit(f"gives {name} a number above {number(MOST_NUMBER)}")
    if given and name in _GROWTH:
        check_size(_GROWTH[name](given[0], arguments))


def operation_size(operator: str, left: Any, right: Any) -> float:
    """Bound the characters that `left operator right` makes."""
    if operator == "%" and isinstance(left, str | bytes):
        return _formatted(left, right if isinstance(right, tuple) else (right,))
    if operator == "*" and isinstance(left, Sized) != isinstance(right, Sized):
        many, times = (left, right) if isinstance(left, Sized) else (right, left)
        return size(many) * max(0, times) if isinstance(times, int) else 0
    if operator == "**" and isinstance(left, int) and isinstance(right, int):
        return _number_size(left.bit_length() * abs(right))
    return size(left) + size(right) if operator in "+*" else 0


def _number_size(bits: int) -> int:
    """Count a number's digits, and the time that one more multiplication would take: bits squared."""
    return 1 + bits // 3 + bits**2 // 1000


def _formatted(pattern: Any, values: Iterable[Any]) -> int:
    """Bound a format: each field is as wide as the largest number in sight at most, or as what fills it."""
    text, filled = str(pattern), list(values)
    widths = [int(number[:9]) for number in re.findall(r"\d+", text)]
    widths += [abs(value) for value in filled if isinstance(value, int)]
    fields = text.count("%") + text.count("{")
    return len(text) + fields * max([0, *widths, *(6 * size(value) for value in filled)])


def _joined(parts: Any, between: Any) -> int:
    return size(parts) + size(between) * len(parts) if isinstance(parts, Sized) else 0


def _replaced(text: Any, given: tuple[Any, ...]) -> int:
    old, new = (str(one) for one in given[:2])
    return size(text) + str(text).count(old) * len(new)


def _grown(text: Any, times: int, given: tuple[Any, ...]) -> int:
    """Bound a text to which one of the arguments is added `times` times: as spaces, if it is a number."""
    widest = max((abs(one) if isinstance(one, int) else size(one) for one in given), default=8)
    return size(text) + times * widest


def _sum(items: Any, given: tuple[Any, ...]) -> float:
    """Refuse to add up anything but numbers: of lists it takes the square of their length."""
    return 0 if all(isinstance(one, int | float | str) for one in given) else float("inf")


_GROWTH: dict[str, Callable[[Any, tuple[Any, ...]], float]] = {
    "format": _formatted,
    ".format": _formatted,
    ".format_map": lambda text, given: _formatted(text, given[0].values()),
    "replace": _replaced,
    ".replace": _replaced,
    "join": lambda parts, given: _joined(parts, given[0] if given else ""),
    ".join": lambda between, given: _joined(given[0], between),
    "indent": lambda text, given: _grown(text, str(text).count("\n"), given),
    "wordwrap": lambda text, given: _grown(
        text, len(str(text)), tuple(o for o in given if isinstance(o, str))
    ),
    "tojson": lambda value, given: _grown(value, size(value), given),
    "pprint": lambda value, given: 100 * size(value),
    "sum": _sum,
    ".expandtabs": lambda text, given: _grown(text, str(text).count("\t"), given),
    ".translate": lambda text, given: size(text) * size(given[0]),
}
"""Bounds on what a filter or a method makes, by its name; what is not here makes no more than it is given,
or than the numbers that it is given."""
