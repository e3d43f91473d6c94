"""Amounts as text, and that no other file formats them."""

import math
import re
from pathlib import Path

import pytest

from trainables import amounts

ROOT = Path(__file__).parents[2]
HOME = ROOT / "trainables/amounts.py"
BY_HAND = re.compile(
    r"\{[^{}]*:,(?:\.\d)?[df]?\}|[/%] ?GIB\b|/ ?2\*\*[23]0|[/%] ?60\b|timedelta|1024\*\*|1000\*\*"
)
"""How counts, bytes and durations look where a file formats them by itself."""
MEASURES = "search/records/provenance.py"
"""Records gibibytes as a number, for the report to show as it is."""


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf])
def test_what_is_not_known_is_a_dash(unknown):
    forms = (amounts.number, amounts.points, amounts.quantity, amounts.size, amounts.prefixed)
    assert [form(unknown) for form in forms] == ["-"] * 5


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (0.04321, "0.0432"), (43.21, "43.2"), (99.96, "100"), (4321.6, "4,322")]
)
def test_quantity(value, shown):
    assert amounts.quantity(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (12, "12"), (4321, "4.32 k"), (991.5e9, "992 G"), (1.5e15, "1.5 P")]
)
def test_prefixed(value, shown):
    assert amounts.prefixed(value) == shown


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [(0, "0 B"), (512, "512 B"), (40_000, "39.1 KiB"), (4e6, "3.81 MiB"), (2**40, "1 TiB")],
)
def test_size(size_bytes, shown):
    assert amounts.size(size_bytes) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0 s"), (59.7, "1 min 00 s"), (125, "2 min 05 s"), (10_925, "3 h 02 min")]
)
def test_duration(seconds, shown):
    assert amounts.duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(119, "119 s"), (600, "10 min"), (7199, "120 min"), (7200, "2 h"), (3.5 * 86_400, "3.5 days")],
)
def test_rough_duration(seconds, shown):
    assert amounts.rough_duration(seconds) == shown


@pytest.mark.parametrize("package", ["search", "trainables", "spaces"])
def test_amounts_are_formatted_in_one_file(package):
    files = set((ROOT / package).rglob("*.py")) - {HOME, ROOT / MEASURES}
    found = {str(file.relative_to(ROOT)): BY_HAND.findall(file.read_text()) for file in files}
    assert {file: lines for file, lines in found.items() if lines} == {}
