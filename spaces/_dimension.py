"""One hyperparameter's range: describe it, narrow it, check whether a value lies inside it."""

import math
from collections.abc import Mapping, Sequence
from typing import cast

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces._problem import did_you_mean, shown

Value = str | int | float
Numeric = FloatDistribution | IntDistribution


def describe(dimension: BaseDistribution) -> str:
    """Write a range for a reader: `8, 16, 32`, or `0.0001 to 0.005 (log)`."""
    if isinstance(dimension, CategoricalDistribution):
        return ", ".join(map(str, dimension.choices))
    assert isinstance(dimension, Numeric)
    return f"{dimension.low:g} to {dimension.high:g}{' (log)' if dimension.log else ''}"


def pick(dimension: BaseDistribution, value: object) -> Value:
    """`value` in the dimension's own type; ValueError where it lies outside."""
    if isinstance(dimension, CategoricalDistribution):
        return _pick_choice(dimension, value)
    assert isinstance(dimension, Numeric)
    return _pick_number(dimension, value)


def _pick_choice(dimension: CategoricalDistribution, value: object) -> Value:
    for choice in _values(dimension):
        # In Python True == 1; in a sweep file `true` is not the ratio 1.
        if choice == value and not isinstance(value, bool):
            return choice
    hint = did_you_mean(value, [choice for choice in _values(dimension) if isinstance(choice, str)])
    raise ValueError(f"must be one of {describe(dimension)}, got {shown(value)}{hint}")


def _pick_number(dimension: Numeric, value: object) -> int | float:
    whole = isinstance(dimension, IntDistribution)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"must be {kind} within {describe(dimension)}, got {shown(value)}")
    assert isinstance(value, int | float)
    if not dimension.low <= value <= dimension.high:
        raise ValueError(f"must lie within {describe(dimension)}, got {shown(value)}")
    return value if whole else float(value)


def narrowed(dimension: BaseDistribution, request: object) -> BaseDistribution:
    """Return the part of a dimension that a sweep asks for: a list of choices, or a mapping {low, high}."""
    if isinstance(request, list | tuple):
        return CategoricalDistribution(_choices(dimension, request))
    if isinstance(request, Mapping):
        return _bounded(dimension, request)
    raise ValueError(
        "must be a list of choices or a range {low, high}, "
        f"got {shown(request)}; to hold one value, put it under `fix`"
    )


def _choices(dimension: BaseDistribution, values: Sequence[object]) -> list[Value]:
    if not values:
        raise ValueError(f"must name at least one of {describe(dimension)}, got an empty list")
    choices, problems = [], []
    for value in values:
        try:
            choices.append(pick(dimension, value))
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("; ".join(problems))
    if len(set(choices)) < len(choices):
        raise ValueError(f"must name each choice once, got {shown(list(values))}")
    return choices


def _bounded(dimension: BaseDistribution, bounds: Mapping[object, object]) -> BaseDistribution:
    """Return a narrower numeric range of the same kind; a bound that is not given stays."""
    if isinstance(dimension, CategoricalDistribution):
        raise ValueError(f"must be a list out of {describe(dimension)}: it has choices, not bounds")
    assert isinstance(dimension, Numeric)
    if not bounds or not set(bounds) <= {"low", "high"}:
        raise ValueError(f"must be a range {{low, high}}, got {shown(dict(bounds))}")
    low = _pick_number(dimension, bounds.get("low", dimension.low))
    high = _pick_number(dimension, bounds.get("high", dimension.high))
    if low > high:
        raise ValueError(f"low must not exceed high, got low {low} and high {high}")
    return type(dimension)(low, high, log=dimension.log, step=dimension.step)  # type: ignore[arg-type]


def nearest(dimension: BaseDistribution, value: Value, *, log: bool) -> Value:
    """Return the member of a narrowed dimension nearest to `value`, on a logarithmic scale if `log`.

    Words have no distance: where the value is not among the choices, return the first choice.
    """
    if isinstance(value, str):
        choices = _values(dimension)
        return value if value in choices else choices[0]
    if isinstance(dimension, Numeric):
        return min(max(value, dimension.low), dimension.high)
    scale = math.log if log else float
    numbers = cast("tuple[int | float, ...]", _values(dimension))
    return min(numbers, key=lambda number: abs(scale(number) - scale(value)))


def costliest(dimension: BaseDistribution, value: Value, whole: BaseDistribution) -> Value:
    """Return the value of a narrowed dimension that takes the most memory: largest number, last word.

    Words are ordered as in the `whole` dimension. A dimension that is continuous there does not change the
    memory: it stays at `value`.
    """
    if isinstance(whole, FloatDistribution):
        return value
    if isinstance(dimension, IntDistribution):
        return dimension.high
    choices = _values(dimension)
    if isinstance(choices[0], str):
        return max(choices, key=_values(whole).index)
    return max(cast("tuple[int | float, ...]", choices))


def _values(dimension: BaseDistribution) -> tuple[Value, ...]:
    """Return a categorical dimension's choices; a space holds none of the other types that optuna allows."""
    assert isinstance(dimension, CategoricalDistribution)
    return cast("tuple[Value, ...]", dimension.choices)
