"""Sides take turns, and a ratio is of the time for a unit of work."""

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.measure import Comparison, Sample, in_turns


def test_each_side_goes_first_in_turn() -> None:
    order: list[str] = []

    def side(name: str) -> measure.Side:
        return lambda: order.append(name) or Sample(1)

    in_turns({name: side(name) for name in "abc"}, 3)
    assert "".join(order) == "abcbcacab"


@pytest.fixture
def comparison() -> Comparison:
    """tuneoff needs 1, 2, 3 s for 10 examples; the other 4, 6, 6 s for 5: 8, 6 and 4 times as long."""
    samples = {
        "tuneoff": [Sample(10, wall, 1.0) for wall in (1.0, 2.0, 3.0)],
        "other": [Sample(5, wall, 1.0) for wall in (4.0, 6.0, 6.0)],
    }
    return Comparison("full", "example", samples, {"other": 5.0}, {"batch": 8})


def test_ratios_are_of_the_same_round_and_of_a_unit(comparison: Comparison) -> None:
    summary = comparison.summary()
    assert summary["other"]["ratio"] == pytest.approx({"median": 6, "low": 4, "high": 8})
    assert summary["other"]["ratio of processor time"] == pytest.approx({"median": 2, "low": 2, "high": 2})
    assert summary["tuneoff"]["milliseconds a example"] == {"median": 200, "low": 100, "high": 300}


def test_the_figures_are_printed_and_written(
    comparison: Comparison, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "deep" / "figures.json"
    measure.tell("A title", [comparison], argparse.Namespace(json=file, rounds=3))
    shown = capsys.readouterr().out
    assert "full (batch 8)" in shown
    assert "6 [4, 8] times as long, of processor time 2 [2, 2]; aim 5" in shown
    written = json.loads(file.read_text())
    assert written["settings"] == {"json": str(file), "rounds": "3"}
    assert written["versions"]["torch"]
    assert written["comparisons"][0]["sides"]["other"]["rounds"][1]["wall_seconds"] == 6
