"""The best trials of another sweep, to be tried first in this one."""

from typing import Any

from optuna.trial import create_trial

from search.config import Sweep
from search.records import Record, Results, RunFolder, load_results
from spaces import Space
from trainables.errors import InputError
from trainables.status import Status

MOST_POINTS = 3
"""Points taken of each method: a start, after which the search still has to explore."""

Points = dict[str, list[dict[str, Any]]]
"""Method, by its name in the sweep, to points of its space, the best first."""


def warm_start(sweep: Sweep, run_folder: RunFolder) -> Points:
    """Return the points of each method, which the run folder keeps: the other sweep is read once a method.

    Raises:
        InputError: the other run folder cannot be read.
    """
    known = run_folder.read_warm_start()
    new = [method for method in sweep.methods if method not in known]
    if sweep.search.warm_start is None or not new:
        return known
    try:
        other = load_results(sweep.search.warm_start)
    except InputError as error:
        raise InputError(f"search.warm_start: {error}") from error
    points = known | {method: best_points(sweep, method, other) for method in new}
    run_folder.write_json(run_folder.warm_start_file, points)
    return points


def best_points(sweep: Sweep, method: str, other: Results) -> list[dict[str, Any]]:
    """Select the other sweep's best points that lie in the method's space here, its default left out.

    They are of the method of the same name, else of all methods of the same base.
    """
    space = sweep.spaces()[method]
    records = sorted(_trials(sweep, method, other), key=lambda record: -(record.score or 0.0))
    points: list[dict[str, Any]] = [dict(space.default)]
    for record in records:
        known = record.hyperparameters
        point = {name: known[name] for name in space.distributions if name in known}
        if _lies_inside(point, space) and point not in points:
            points.append(point)
    return points[1 : 1 + MOST_POINTS]


def _trials(sweep: Sweep, method: str, other: Results) -> list[Record]:
    base = sweep.base_of(method)
    same = [name for name, choice in other.sweep.methods.items() if choice.base == base]
    names = [method] if method in same else same
    trials = [record for name in names for record in other.search(name)]
    return [record for record in trials if record.status is Status.COMPLETED and record.score is not None]


def _lies_inside(point: dict[str, Any], space: Space) -> bool:
    try:
        create_trial(params=point, distributions=dict(space.distributions), value=0.0)
    except ValueError:  # a value is missing, or out of its range
        return False
    return True
