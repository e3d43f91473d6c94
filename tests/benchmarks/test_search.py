"""The searches that tuneoff is held against, and what is counted of them."""

import math
from collections import Counter

import numpy as np
import pytest
from optuna.trial import TrialState

from benchmarks.search import BEST, EVERY, ratio, targets, until
from benchmarks.searches import Foresight, RandomSearch, StockSearch, StockTogether
from benchmarks.simulation import Curve, Curves, MethodCurves, Told, simulate
from spaces import get

RUNGS = [1, 3, 9]


def method(name: str, size: int, best: float) -> MethodCurves:
    """Points that differ by their learning rate and weight decay, all seconds alike."""
    space = dict(get(name).distributions)
    low, high = space["learning_rate"].low, space["learning_rate"].high
    points = [
        {**get(name).default, "learning_rate": low * (high / low) ** ((n * 5 % size) / size)}
        for n in range(size)
    ]
    return MethodCurves(
        base=name,
        space=space,
        curves=[
            Curve(
                hyperparameters=point,
                scores=[best * share - n * 7 % size for share in (0.5, 0.8, 1.0)],
                seconds=[1.0, 3.0, 9.0],
            )
            for n, point in enumerate(points)
        ],
    )


@pytest.fixture
def curves() -> Curves:
    methods = {"full": method("full", 12, 60.0), "lora": method("lora", 12, 50.0)}
    return Curves(name="planted", seconds="planted", rungs=RUNGS, reduction_factor=3, methods=methods)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    "search",
    [
        lambda curves: RandomSearch(curves, 0, stops=False),
        lambda curves: RandomSearch(curves, 0, stops=True),
        lambda curves: StockSearch(curves, 0),
        lambda curves: StockTogether(curves, 0),
    ],
)
def test_each_search_has_every_point_once(curves, search, workers):
    begun = [one.curve.hyperparameters for one in simulate(search(curves), workers) if one.rung == 0]
    known = [point for table in curves.methods.values() for point in table.points]
    assert sorted(map(str, begun)) == sorted(map(str, known))


def test_random_search_runs_all_to_the_end_in_an_order_of_its_seed(curves):
    runs = [list(simulate(RandomSearch(curves, seed, stops=False))) for seed in (1, 1, 2)]
    assert [sum(one.is_completed for one in told) for told in runs] == [24, 24, 24]
    first, same, other = ([one.curve for one in told if one.rung == 0] for told in runs)
    assert first == same != other


def test_with_foresight_only_those_go_on_that_beat_all_before(curves):
    best = {}
    for one in simulate(Foresight(curves, 3)):
        assert one.goes_on == (one.curve.scores[-1] > best.get(one.method, -math.inf) and one.rung < 2)
        if one.is_completed:
            best[one.method] = one.score
    assert best == {name: max(c.scores[-1] for c in t.curves) for name, t in curves.methods.items()}


@pytest.mark.parametrize("search", [StockSearch, lambda c, s: RandomSearch(c, s, stops=True)])
def test_rays_asha_stops_below_the_quantile_of_those_before(curves, search):
    """Ray's rule restated: the best third by NumPy's percentile of the values that came before."""
    values: dict[tuple[str, int], list[float]] = {}
    ends = Counter()
    for one in simulate(search(curves, 4)):
        before = values.setdefault((one.method, one.rung), [])
        is_below = bool(before) and one.score < np.percentile(before, 100 * 2 / 3)
        assert one.goes_on == (one.rung < 2 and not is_below)
        before.append(one.score)
        ends[one.goes_on, one.rung] += 1
    assert ends[False, 0] >= 6


def test_one_for_all_compares_the_methods_with_each_other(curves):
    """Half of what the worst of full comes to, LoRA does not reach at its best."""
    lora = curves.methods["lora"]
    low = [c.model_copy(update={"scores": [score - 40 for score in c.scores]}) for c in lora.curves]
    methods = curves.methods | {"lora": lora.model_copy(update={"curves": low})}
    told = list(simulate(StockTogether(curves.model_copy(update={"methods": methods}), 1)))
    before_full = next(n for n, one in enumerate(told) if one.method == "full")
    later = [one for one in told[before_full + 1 :] if one.method == "lora" and one.rung == 0]
    assert len(later) > 5
    assert not any(one.goes_on for one in later[2:])


def test_stock_tells_optuna_that_stopped_trials_have_completed(curves):
    search = StockSearch(curves, 0)
    stopped = [one for one in simulate(search) if not one.goes_on and not one.is_completed]
    assert len(stopped) >= 6
    trials = [t for each in search.searches.values() for t in each._ot_study.trials]
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert {one.score for one in stopped} <= {trial.value for trial in trials}


def told(seconds: float, method: str, score: float, rung: int = 2, trial: str = "") -> Told:
    curve = Curve(hyperparameters={}, scores=[score / 4, score / 2, score], seconds=[1.0, 2.0, 3.0])
    name = trial or f"{method} {seconds}"
    return Told(seconds, name, method, curve, rung, rung < 2, {"full": seconds, "lora": 2 * seconds})


TOLD = [
    told(1, "full", 90, rung=0),
    told(2, "full", 30),
    told(3, "lora", 40),
    told(4, "full", 50),
    told(5, "lora", 60),
]


def test_the_target_is_the_best_of_the_first_trials_at_their_full_budget():
    assert targets(TOLD, trials=2) == {"full": 30, "lora": 60}
    assert targets(TOLD, trials=9) == {"full": 50, "lora": 60}


def test_the_seconds_until_each_goal_are_those_of_its_methods():
    assert until(TOLD, {"full": 45, "lora": 35}) == {"full": 4, "lora": 6, EVERY: 12, BEST: 12}
    never = dict.fromkeys(("lora", EVERY, BEST), math.inf)
    assert until(TOLD, {"full": 30, "lora": 70}) == {"full": 2} | never
    assert until(TOLD, {"full": 30, "lora": 55})[BEST] == 15


def test_the_ratio_is_of_medians_and_infinite_seconds_are_worse_than_all():
    assert ratio([8.0] * 5, [2.0] * 5) == (4.0, 4.0, 4.0)
    middle, low, high = ratio([8.0, 9.0, 10.0, 11.0, 12.0], [1.0, 2.0, 5.0, 10.0, math.inf])
    assert middle == 2.0
    assert low < middle < high
    assert ratio([8.0] * 3, [math.inf] * 3)[0] == 0.0
