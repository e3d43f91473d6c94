from random import Random

import pytest

from search.config.budget import promoted, rungs
from search.config.settings import Search


def levels(examples: int, **changes: object) -> list[int]:
    return rungs(Search(**changes), examples)


@pytest.mark.parametrize(
    ("first_rung", "expected"),
    [
        (0.11, [100, 300, 900]),  # 1/9 is the last that is not below it
        (0.12, [300, 900]),
        (1 / 3, [300, 900]),
        (0.34, [900]),
        (1, [900]),
        (0.01, [11, 33, 100, 300, 900]),  # 1/81 = 0.0123
    ],
)
def test_each_rung_is_a_third_of_the_next_down_to_the_first(first_rung, expected):
    assert levels(300, max_epochs=3, first_rung=first_rung) == expected


def test_nine_examples_and_a_factor_of_three_are_the_rungs_of_the_asha_paper():
    assert levels(9, max_epochs=1, first_rung=0.11) == [1, 3, 9]


def test_a_factor_of_two_halves():
    assert levels(64, max_epochs=1, reduction_factor=2, first_rung=0.25) == [16, 32, 64]


def test_rungs_are_rounded_and_the_budget_counts_parts_of_epochs():
    assert levels(1001, max_epochs=0.5, first_rung=0.11) == [56, 167, 500]


def test_without_a_scheduler_there_is_only_the_full_budget():
    assert levels(300, scheduler="none") == [900]


@pytest.mark.parametrize(
    ("examples", "max_epochs", "expected"),
    [
        (1, 1, [1]),  # a third of an example rounds to none
        (2, 1, [1, 2]),
        (1, 0.01, [1]),
        (5, 1, [1, 2, 5]),
        (4, 1, [1, 4]),  # 4/9 rounds to none
    ],
)
def test_a_tiny_budget_has_few_rungs_of_at_least_one_example(examples, max_epochs, expected):
    assert levels(examples, max_epochs=max_epochs, first_rung=0.001) == expected


@pytest.mark.parametrize("factor", [2, 3, 4, 10])
@pytest.mark.parametrize("examples", [1, 2, 7, 10, 12460])
def test_rungs_rise_and_end_in_the_full_budget(factor, examples):
    for first_rung in (0.001, 0.05, 0.5, 1):
        found = levels(examples, max_epochs=2, reduction_factor=factor, first_rung=first_rung)
        assert found == sorted(set(found))
        assert found[0] >= 1
        assert found[-1] == 2 * examples


@pytest.mark.parametrize(("by", "orders"), [("score", 1), ("score or loss", 2)])
def test_as_many_trials_are_promoted_as_chance_promotes(by, orders):
    """The oracle draws the best at each rung; trial 0 is the default, which always goes on."""
    random, counts = Random(0), [0, 0, 0]
    for _ in range(2000):
        here = list(range(16))
        for rung, best in enumerate([5, 2, 0]):
            counts[rung] += len(here)
            drawn = [random.sample(here, min(best, len(here))) for _ in range(orders)]
            here = sorted({0}.union(*drawn))
    expected = [count / 2000 for count in counts]
    assert promoted(Search(promote_by=by), 16, 3) == pytest.approx(expected, rel=0.05)
