"""Limit each method's search: how much it has had, and whether it may begin another trial."""

from collections.abc import Iterable, Mapping, Sequence

from search.config import Sweep
from search.records.record import Record
from search.samplers import get as get_sampler


def most_trials(sweep: Sweep, method: str) -> int | None:
    """Return the trials of a method at most; None if only time limits them."""
    points = get_sampler(sweep.search.sampler).points(sweep.methods[method].searched())
    limits = [sweep.search.trials_per_method, points]
    return min((limit for limit in limits if limit is not None), default=None)


def may_begin(sweep: Sweep, method: str, begun: Sequence[Record]) -> bool:
    """Tell whether a method has trials, or time, left; `begun` are its trials of the search."""
    most, budget = most_trials(sweep, method), sweep.search.budget
    if most is not None and len(begun) >= most:
        return False
    return budget is None or spent_seconds(begun) < budget.device_seconds_per_method


def next_method(sweep: Sweep, begun: Mapping[str, Sequence[Record]]) -> str | None:
    """Choose, of the methods that may begin a trial, the one that had least so far; None if none may.

    By time, a tie goes to the one with fewer trials: those that run have reported no seconds yet.
    """
    may = [method for method, records in begun.items() if may_begin(sweep, method, records)]
    if sweep.search.budget is None:
        return min(may, key=lambda method: len(begun[method]), default=None)
    return min(may, key=lambda method: (spent_seconds(begun[method]), len(begun[method])), default=None)


def planned_trials(sweep: Sweep, method: str, begun: Sequence[Record]) -> int:
    """Count the trials that a method will have had; by time those begun, and one if it may begin one.

    Of a method that has left the sweep, count those that it has had.
    """
    if method not in sweep.methods:
        return len(begun)
    if sweep.search.budget is not None:
        return len(begun) + may_begin(sweep, method, begun)
    most = most_trials(sweep, method)
    assert most is not None
    return most


def spent_seconds(records: Iterable[Record]) -> float:
    """Sum the seconds of starting up, training and evaluation."""
    return sum(record.spent_seconds for record in records)
