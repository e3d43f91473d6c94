"""Amounts as text: counts, measured quantities, bytes and durations, in every message, table and report."""

import math
from typing import TypeGuard

DASH = "-"
"""What stands for a number that is not known."""

_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")
_SI = ("", "k", "M", "G", "T", "P", "E")
_DAY, _HOUR, _MINUTE = 86_400, 3600, 60


def known(value: float | None) -> TypeGuard[float]:
    """Tell whether a value is a finite number."""
    return value is not None and math.isfinite(value)


def number(value: float | None, form: str = ",.0f") -> str:
    """Format a number by a format specification: `1,234` by default; a dash where it is not known."""
    return format(value, form) if known(value) else DASH


def counted(count: int, thing: str) -> str:
    """Write a count with its noun: `1 document`, `2 documents`."""
    return f"{number(count)} {thing}" if count == 1 else f"{number(count)} {thing}s"


def points(value: float | None) -> str:
    """Format a score in points: `43.21`."""
    return number(value, ".2f")


def within(value: float, low: float, high: float, form: str = "") -> str:
    """Format a value with the limits of its interval, no digit of it beyond what the interval tells.

    The half-width keeps two digits where it begins with 1 or 2, else one: `39.2 [38.8, 39.7]`, `4.10 [3.95,
    4.25]`; `form` is `+` for a difference. Without limits two decimals.
    """
    if not (known(low) and known(high)):
        return _real(value, f"{form}.2f")
    half = (high - low) / 2
    power = math.floor(math.log10(half)) if half > 0 else -2
    decimals = min(2, max(0, -power + (half < 3 * 10.0**power)))
    return "{} [{}, {}]".format(*(_real(one, f"{form}.{decimals}f") for one in (value, low, high)))


def _real(value: float, form: str) -> str:
    """Format a number with a minus sign, and no zero that is below zero."""
    shown = number(value, form)
    is_zero = shown.strip("+-0.") == "" and shown != DASH
    return shown.lstrip("+-") if is_zero else shown.replace("-", "\N{MINUS SIGN}") if known(value) else shown


def quantity(value: float | None) -> str:
    """Format a measured amount with three digits or more: `4.32`, `43.2`, `4,321`."""
    return number(value, ".3g" if known(value) and abs(value) < 99.95 else ",.0f")


def prefixed(value: float | None) -> str:
    """Format a large amount with an SI prefix: `992 G`, `1.5 P`."""
    return _scaled(value, 1000, _SI).rstrip()


def size(size_bytes: float | None) -> str:
    """Format bytes: `512 B`, `39.1 KiB`, `3.81 MiB`."""
    return _scaled(size_bytes, 1024, _BYTES)


def duration(seconds: float) -> str:
    """Format a measured time: `8 s`, `2 min 05 s`, `3 h 02 min`."""
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def rough_duration(seconds: float) -> str:
    """Format a time that is an estimate or a limit, in one unit: `50 s`, `25 min`, `4 h`, `3.5 days`."""
    if seconds >= 2 * _DAY:
        return f"{quantity(seconds / _DAY)} days"
    if seconds >= 2 * _HOUR:
        return f"{round(seconds / _HOUR)} h"
    return f"{round(seconds / _MINUTE)} min" if seconds >= 2 * _MINUTE else f"{round(seconds)} s"


def _scaled(value: float | None, step: int, units: tuple[str, ...]) -> str:
    """An amount in the largest of the units, each `step` times the one before, that it fills."""
    if not known(value):
        return DASH
    power = next((p for p in reversed(range(len(units))) if abs(value) >= step**p), 0)
    return f"{quantity(value / step**power)} {units[power]}"
