"""The search as points to draw, against values computed by hand from the planted folder."""

import math

import pytest

from search.records.audit import audit_of
from search.records.results import load_results
from search.report.coordinates import MOST_TRIALS, SCORE_AXIS, axis_ends, best_so_far, coordinates, fates


def test_each_trial_has_one_fate(finished):
    found = {record.id: fate for record, fate in fates(load_results(finished.root))}
    assert len(found) == 12
    assert {trial: fate for trial, fate in found.items() if trial.startswith("full")} == {
        "full/0000": "completed",
        "full/0001": "winner",
        "full/0002": "stopped early",
        "full/0003": "failed",
    }


def test_an_audited_trial_is_drawn_as_it_was_stopped_and_as_it_was_run_on(finished):
    stopped = next(r for r in finished.folder.read_records() if r.id == "lora/0002")
    finished.folder.write_record(audit_of(stopped))
    found = {record.id: fate for record, fate in fates(load_results(finished.root))}
    assert found["lora/0002"] == "stopped early"
    assert found["lora/audit-0002"] == "audited"


def test_the_best_so_far_never_falls_and_only_full_budgets_count(finished):
    results = load_results(finished.root)
    table = best_so_far(results)
    assert table[table["method"] == "lora"]["best"].tolist() == [31, 34.5, 34.5, 34.5]
    assert table[table["method"] == "prompt_tuning"]["trials"].tolist() == [2, 3, 4]  # the first was stopped
    spent = [record.device_seconds for record in results.search("full")]
    expected = [sum(spent[: n + 1]) for n in range(4)]
    assert table[table["method"] == "full"]["device_seconds"].tolist() == pytest.approx(expected)


def test_places_run_from_the_least_to_the_greatest_value_on_the_scale_of_the_space(bare):
    for number, rate in enumerate((1e-4, 1e-3, 1e-2)):
        parameters = {"learning_rate": rate, "batch_size": 16, "weight_decay": 0.01 * number}
        bare.trial("lora", number, [10.0 + number], hyperparameters=parameters)
    table = coordinates(load_results(bare.root), "lora")
    assert list(dict.fromkeys(table["axis"])) == [
        "learning_rate",
        "weight_decay",
        SCORE_AXIS,
    ]  # one batch size
    for axis in ("learning_rate", "weight_decay", SCORE_AXIS):
        assert table.loc[table["axis"] == axis, "place"].tolist() == pytest.approx([0, 0.5, 1])
    ends = axis_ends(table)
    assert ends.loc[ends["axis"] == "learning_rate", "value"].tolist() == ["0.0001", "0.01"]


def test_choices_lie_in_the_order_of_the_space(bare):
    for number, targets in enumerate(("all-linear", "attention", "all-linear")):
        bare.trial("lora", number, [10.0], hyperparameters={"learning_rate": 1e-3, "targets": targets})
    table = coordinates(load_results(bare.root), "lora")
    places = table.loc[table["axis"] == "targets", "place"]
    assert set(places) == {0.0, 1.0}
    assert places.iloc[0] == places.iloc[2]


def test_a_trial_without_a_score_is_not_drawn(bare):
    bare.trial("lora", 0, [None], hyperparameters={"learning_rate": 1e-3})
    bare.trial("lora", 1, [math.nan], hyperparameters={"learning_rate": 1e-2})
    bare.trial("lora", 2, [1.0], hyperparameters={"learning_rate": 1e-3})
    bare.trial("lora", 3, [2.0], hyperparameters={"learning_rate": 1e-2})
    assert set(coordinates(load_results(bare.root), "lora")["trial"]) == {"lora/0002", "lora/0003"}


def test_of_many_trials_some_are_drawn_and_the_winner(bare):
    for number in range(2 * MOST_TRIALS + 1):
        score = 90.0 if number == 7 else 10.0
        bare.trial("lora", number, [score] * 3, hyperparameters={"learning_rate": 1e-4 * (number + 1)})
    results = load_results(bare.root)
    found = {record.number: fate for record, fate in fates(results)}
    assert sorted(found) == sorted({7, *range(0, 2 * MOST_TRIALS + 1, 3)})
    assert found[7] == "winner"
    assert coordinates(results, "lora")["trial"].nunique() == len(found)


def test_a_search_that_has_not_begun_has_nothing_to_draw(bare):
    results = load_results(bare.root)
    assert best_so_far(results).empty
    assert coordinates(results, "lora").empty
    assert list(fates(results)) == []
