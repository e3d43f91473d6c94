"""How much each method may search: trials, a grid, or seconds."""

import re
from pathlib import Path

import pytest
import yaml

from search.config import yaml_file
from search.config.settings import Search
from search.config.sweep import Sweep, SweepError, differences
from search.engine.search_phase import SearchPhase
from search.records.allowance import may_begin, planned_trials, spent_seconds
from search.records.trial_store import TrialStore
from tests.search.driven import LISTED, NARROW, RATES, Driven
from tests.search.replay import sweep

ROOT = Path(__file__).parents[3]
SECONDS = 100.0
IN_MEMORY = {"study_storage": "sqlite://"}


def timed(tmp_path, **changes) -> Driven:
    search = {"budget": {"device_seconds_per_method": SECONDS}, "sampler": "random", **IN_MEMORY, **changes}
    return Driven(tmp_path / "run", sweep(tmp_path, methods=NARROW, search=search))


def test_each_method_has_its_seconds_and_no_more_than_a_trial_over(tmp_path):
    driven = timed(tmp_path)
    while trial := driven.begin():
        assert spent_seconds(driven.store.search(trial.method)) < SECONDS
        driven.end(trial.id, "completed")
    for method in ("full", "lora"):
        records = driven.store.search(method)
        assert spent_seconds(records) >= SECONDS > spent_seconds(records[:-1])
        assert planned_trials(driven.plan.sweep, method, records) == len(records)
    assert SearchPhase().left(driven.plan, TrialStore(driven.plan.folder)) == 0


def test_the_method_that_spent_least_is_next(tmp_path):
    driven = timed(tmp_path)
    first, second = driven.begin(), driven.begin()
    assert [first.id, second.id] == ["full/0000", "lora/0000"]
    driven.end(first.id, "completed")
    assert driven.begin().id == "lora/0001"


def test_a_search_by_time_is_not_done_while_a_method_has_time_or_a_trial_runs(tmp_path):
    driven = timed(tmp_path)
    assert SearchPhase().left(driven.plan, driven.store) == 2
    trial = driven.begin()
    assert SearchPhase().left(driven.plan, driven.store) == 3  # this one, and one more of each method
    driven.end(trial.id, "completed")
    driven.restart()
    assert SearchPhase().left(driven.plan, driven.store) == 2


def test_a_grid_is_tried_whole_each_point_once_the_default_first(tmp_path):
    search = {"sampler": "grid", "trials_per_method": 50, **IN_MEMORY}
    settings = sweep(tmp_path, methods={"full": LISTED["full"]}, search=search)
    driven, points = Driven(tmp_path / "run", settings), {"full": []}
    while trial := driven.begin():
        points[trial.method].append(trial.hyperparameters)
        driven.end(trial.id, "completed")
        driven.restart()
    for method, tried in points.items():
        space = settings.spaces()[method]
        assert tried[0] == space.complete(space.default)
        asked = {(point["learning_rate"], point["batch_size"]) for point in tried}
        assert asked == {(rate, size) for rate in RATES for size in (8, 16)}
        assert len(tried) == 8
        rest = tried[0].keys() - {"learning_rate", "batch_size"}
        assert all(point[name] == tried[0][name] for point in tried for name in rest)
    assert SearchPhase().left(driven.plan, driven.store) == 0


def test_fewer_trials_than_the_grid_has_are_some_of_it(tmp_path):
    settings = sweep(tmp_path, methods=LISTED, search={"sampler": "grid", "trials_per_method": 3})
    assert not may_begin(settings, "full", [None] * 3)
    assert may_begin(settings, "full", [None] * 2)


def mistakes(tmp_path, **changes) -> str:
    content = sweep(tmp_path).model_dump(mode="json") | {"methods": {"lora": {}}, "search": changes}
    with pytest.raises(SweepError) as raised:
        Sweep.from_yaml(yaml.safe_dump(content))
    return str(raised.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"budget": {"device_seconds_per_method": 5}, "trials_per_method": 3},
            "search: budget and trials_per_method exclude each other: leave one of them out",
        ),
        (
            {"trials_per_method": None},
            "search.trials_per_method: must be a whole number, unless there is",
        ),
        ({"budget": {"device_seconds_per_method": 0}}, "device_seconds_per_method: must be greater than 0"),
        ({"sampler": "grid"}, "methods.lora.space: needs lists for search.sampler: grid"),
        (
            {"objectives": ["rouge1"]},
            "search.objectives: must begin with task.metric, rougeL, got 'rouge1'",
        ),
        (
            {"objectives": [{"cost": "train_seconds"}]},
            "search.objectives: must be the task's metric first",
        ),
        ({"objectives": ["rougeL", {"cost": "money"}]}, "must be one of train_seconds, peak_memory_bytes"),
        (
            {"objectives": ["rougeL", {"cost": "train_flops"}, {"cost": "train_flops"}]},
            "search.objectives: must name each cost once",
        ),
    ],
)
def test_what_is_wrong_with_a_search_is_told_by_its_key(tmp_path, changes, told):
    assert told in mistakes(tmp_path, **changes)


def test_a_time_may_grow_and_survives_being_written(tmp_path):
    settings = timed(tmp_path).plan.sweep
    again = Sweep.from_yaml(settings.to_yaml())
    assert again == settings
    search = {"budget": {"device_seconds_per_method": 2 * SECONDS}, "sampler": "random"}
    longer = again.model_copy(update={"search": Search.model_validate(search)})
    assert not differences(again, longer)
    (problem,) = differences(longer, again)
    assert problem.path == "search.budget.device_seconds_per_method"


@pytest.mark.parametrize("place", range(5))
def test_what_the_documentation_shows_is_a_sweep(tmp_path, place):
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/search.md").read_text(), re.DOTALL)
    assert len(blocks) == 5
    content = sweep(tmp_path).model_dump(mode="json") | {"methods": {"lora": {}}}
    assert Sweep.from_yaml(yaml.safe_dump(content | yaml_file.parse(blocks[place], "docs")))
