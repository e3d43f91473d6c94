"""The estimate of a sweep's time and bytes, against sums by hand."""

import math

import pytest

from search.config.settings import Search
from search.config.sweep import Sweep
from search.preflight.forecast import Forecast, arrivals, disk_and_time, forecast
from search.records.preflight_results import PreflightResults
from tests.search.replay import findings, plant_task, sweep

COUNTS = {"train": 9, "validation": 4, "test": 6}
RUNGS = [10, 30, 90]
CHECKPOINT = 3 * 12_000
EXPORT = 5000 + 8000


def exact_first_pass(trials: int, factor: int) -> float:
    """The n-th of random scores is among the best ceil(n / factor) so far with this share of n."""
    return sum(math.ceil(n / factor) / n for n in range(1, trials + 1))


@pytest.mark.parametrize(("trials", "factor"), [(1, 3), (16, 3), (16, 2), (40, 4)])
def test_as_many_trials_pass_the_first_rung_as_chance_lets_pass(trials: int, factor: int) -> None:
    first, second, third = arrivals(trials, 3, factor)
    assert first == trials
    assert second == pytest.approx(exact_first_pass(trials, factor), rel=0.05)
    assert 1 <= third <= second
    assert third >= exact_first_pass(int(second), factor) * 0.95  # those who passed once are the better half


def test_without_rungs_every_trial_goes_to_the_end() -> None:
    assert arrivals(7, 1, 3) == [7.0]


@pytest.fixture
def settings(tmp_path) -> Sweep:
    return sweep(
        plant_task(tmp_path),
        methods={"full": {}},
        search={"trials_per_method": 1, "validation_samples": 2},
    )


def expected(
    settings: Sweep, *, concurrent: int = 1, startup: float = 0.0, rungs: list[int] = RUNGS
) -> Forecast:
    preflight = PreflightResults(
        methods={name: findings() for name in settings.methods}, startup_seconds=startup, is_whole=True
    )
    return forecast(settings, preflight, rungs, COUNTS, concurrent)


def test_one_trial_two_finals_and_the_baseline_by_hand(settings: Sweep) -> None:
    """100 examples a second are trained, 50 scored: 2 of 4 at a rung, 6 in the final, 6 of the baseline."""
    search = 90 / 100 + 3 * 2 / 50
    final = 2 * (90 / 100 + 6 / 50) + 6 / 50
    told = expected(settings, startup=7.0)
    assert told.seconds == pytest.approx(2 * 7 + search + final)
    assert told.disk_bytes == 3 * CHECKPOINT + 2 * CHECKPOINT + 2 * EXPORT
    assert told.written_bytes == 3 * CHECKPOINT + 2 * (3 * CHECKPOINT + EXPORT)


def test_workers_side_by_side_share_the_work_but_no_run(settings: Sweep) -> None:
    many = settings.model_copy(
        update={"search": settings.search.model_copy(update={"trials_per_method": 40})}
    )
    one, two, crowd = (expected(many, concurrent=count) for count in (1, 2, 1000))
    assert two.seconds == pytest.approx(one.seconds / 2)
    assert crowd.seconds == pytest.approx(90 / 100 + 3 * 2 / 50 + 90 / 100 + 6 / 50)
    assert two.disk_bytes == one.disk_bytes + 3 * CHECKPOINT


def test_early_stopping_makes_a_search_shorter(settings: Sweep) -> None:
    many = settings.model_copy(
        update={"search": settings.search.model_copy(update={"trials_per_method": 30})}
    )
    short, long = (expected(many, rungs=rungs).seconds for rungs in (RUNGS, RUNGS[-1:]))
    assert short < 0.6 * long


@pytest.mark.parametrize(
    ("seconds", "size", "told"),
    [
        (50, 900, "about 50 s, 900 B:"),
        (1500, 1.2e9, "about 25 min, 1.12 GiB:"),
        (4 * 3600, 42e6, "about 4 h, 40.1 MiB:"),
        (3.5 * 86_400, 3e12, "about 3.5 days, 2.73 TiB:"),
    ],
)
def test_it_is_told_in_units_of_its_size(settings: Sweep, seconds: float, size: float, told: str) -> None:
    check = disk_and_time(settings, Forecast(seconds, round(size), 0), 10**13, 2)
    assert check.verdict == "pass"
    assert check.message.startswith(told)
    assert check.figures["disk_bytes"] == size


def test_it_fails_where_the_disk_would_fill(settings: Sweep) -> None:
    check = disk_and_time(settings, Forecast(50, 10**9 + 1, 0), 10**9, 2)
    assert check.verdict == "fail"
    assert "Only 954 MiB are free: set `storage` to a larger disk" in check.message


def test_audits_and_untuned_defaults_take_what_trials_and_finals_take(settings: Sweep) -> None:
    """Of four trials, so many as chance stops early are run to the end; every final is run twice."""
    plain = settings.model_copy(update={"search": Search(trials_per_method=4, validation_samples=2)})
    audited = plain.model_copy(
        update={
            "search": plain.search.model_copy(update={"audit": 9}),
            "final": plain.final.model_copy(update={"retrain_defaults": True}),
        }
    )
    stopped = 4 - arrivals(4, 3, 3)[-1]
    trial, final = 90 / 100 + 3 * 2 / 50, 90 / 100 + 6 / 50
    more = expected(audited).seconds - expected(plain).seconds
    assert more == pytest.approx(stopped * trial + 2 * final)
    disk = expected(audited).disk_bytes - expected(plain).disk_bytes
    assert disk == pytest.approx(stopped * 2 * CHECKPOINT + 2 * EXPORT, abs=1)
