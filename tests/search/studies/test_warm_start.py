"""A sweep that begins with the best trials of another one."""

import pytest

from search.records.results import Results, load_results
from search.records.run_folder import RunFolder
from search.studies.warm_start import MOST_POINTS, best_points, warm_start
from tests.search.driven import NARROW, Driven
from tests.search.replay import plant_task, sweep
from trainables.errors import InputError
from trainables.storage.atomic import write_text


@pytest.fixture
def other(tmp_path) -> Driven:
    """A finished search of five trials a method, whose run folder can be read."""
    task = plant_task(tmp_path / "other")
    settings = sweep(task, methods=NARROW, search__trials_per_method=5, seed=1)
    driven = Driven(tmp_path / "other-run", settings)
    write_text(driven.plan.folder.sweep_file, settings.to_yaml())
    while trial := driven.begin():
        driven.end(trial.id, "failed" if trial.number == 4 else "completed")
    return driven


def begun_from(other: Driven, tmp_path, **changes) -> Driven:
    search = {"trials_per_method": 6, "warm_start": str(other.plan.folder.root)}
    settings = sweep(plant_task(tmp_path / "task"), **{"methods": NARROW, **changes}, search=search)
    root = tmp_path / "run"
    root.mkdir()
    warm_start(settings, RunFolder(root))
    return Driven(root, settings)


def test_the_best_trials_of_the_same_method_are_tried_after_the_default(other, tmp_path):
    driven, trials = begun_from(other, tmp_path), {"full": [], "lora": []}
    while trial := driven.begin():
        trials[trial.method].append(trial)
    for method, begun in trials.items():
        ended = [record for record in other.store.search(method) if record.status == "completed"]
        best = sorted(ended, key=lambda record: -record.score)
        sampled = [record.hyperparameters for record in best if record.origin == "sampled"]
        assert [trial.origin for trial in begun] == ["default", *["warm"] * 3, "sampled", "sampled"]
        assert [trial.hyperparameters for trial in begun[1:4]] == sampled[:MOST_POINTS]


def test_the_other_folder_is_not_needed_any_more(other, tmp_path):
    driven = begun_from(other, tmp_path)
    before = {trial.id: trial.hyperparameters for trial in [driven.begin() for _ in range(3)]}
    other.plan.folder.sweep_file.unlink()
    warm_start(driven.plan.sweep, driven.plan.folder)
    driven.restart()
    again = {trial.id: trial.hyperparameters for trial in [driven.begin() for _ in range(4)]}
    assert again.items() > before.items()
    assert driven.store.records["lora/0001"].origin == "warm"


def test_a_point_that_lies_outside_the_space_is_passed_over(other, tmp_path):
    tried = [r.hyperparameters["learning_rate"] for r in other.store.search("full")[1:4]]
    narrow = {"full": {**NARROW["full"], "space": {"learning_rate": {"low": 1e-5, "high": sorted(tried)[1]}}}}
    settings = sweep(other.plan.folder.root, methods=narrow)
    points = best_points(settings, "full", _results(other))
    assert sorted(point["learning_rate"] for point in points) == sorted(tried)[:2]


def test_a_variant_begins_with_the_trials_of_its_method(other, tmp_path):
    methods = {"mine": {"base": "lora", **NARROW["lora"]}, "dora": {}}
    points = {
        method: best_points(sweep(tmp_path, methods=methods), method, _results(other)) for method in methods
    }
    assert len(points["mine"]) == MOST_POINTS
    assert points["dora"] == []


def test_a_folder_that_is_none_is_told_by_its_key(tmp_path):
    settings = sweep(tmp_path, search__warm_start=str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"^search.warm_start: .*nowhere"):
        warm_start(settings, RunFolder(tmp_path / "run"))


def _results(driven: Driven) -> Results:
    return load_results(driven.plan.folder.root)
