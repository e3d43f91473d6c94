import os

import pytest

from benchmarks.driver import SIDES, Ends, child


def test_quarters_are_of_the_trials_in_order():
    ends = Ends()
    ends.seconds = [1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 16.0, 20.0]
    assert ends.milliseconds() == [1000.0, 2000.0, 3000.0, 4000.0]


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("side", SIDES)
def test_each_side_runs_its_trials(side):
    os.environ.pop("RAY_ADDRESS", None)
    figures = child(side, 12)
    assert figures["trials"] == 12
    assert figures["wall_seconds"] > 0
    assert len(figures["milliseconds_by_quarter"]) == 4
