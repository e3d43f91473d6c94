"""The report of a search that weighed a cost against quality."""

import pytest

from search.records.results import load_results
from search.report.fronts import front, fronts
from search.report.write import write_report
from tests.search.conftest import SWEEP

OBJECTIVES = "search: {trials_per_method: 4, objectives: [rougeL, {cost: train_seconds}]}"


@pytest.fixture
def weighed(bare):
    """Full: a quick poor trial, a slow good one, and one that is slower and worse; LoRA: one trial only."""
    bare.sweep(SWEEP.replace("search: {trials_per_method: 4}", OBJECTIVES))
    for number, (score, seconds) in enumerate([(20.0, 10.0), (30.0, 40.0), (28.0, 50.0)]):
        _plant(bare, "full", number, score, seconds)
    _plant(bare, "lora", 0, 25.0, 20.0)
    bare.trial("lora", 1, [5.0], status="stopped")
    return load_results(bare.root)


def _plant(planted, method, number, score, seconds):
    record = planted.trial(method, number, [score - 2, score - 1, score])
    last = record.rungs[-1].model_copy(update={"cost": {**record.cost, "train_seconds": seconds}})
    planted.folder.write_record(record.model_copy(update={"rungs": [*record.rungs[:-1], last]}))


def test_the_front_is_what_no_other_trial_dominates(weighed):
    found = front(weighed.search("full"), ["train_seconds"])
    assert [record.id for record in found] == ["full/0000", "full/0001"]


def test_the_section_has_each_methods_front_and_the_area_it_reaches(weighed):
    text = fronts(weighed)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.split("|")[1].strip() for row in rows[:3]] == ["`full/0000`", "`full/0001`", "`lora/0000`"]
    volumes = {row.split("|")[1].strip(): row.split("|")[2].strip() for row in rows[3:]}
    # With 20 points and 50 s: full reaches (30, 40), an area of 10 by 10; LoRA (25, 20), one of 5 by 30.
    assert volumes == {"`full`": "100", "`lora`": "150", "`prompt_tuning`": "0"}
    assert "with 20.00 points and training time 50, the worst of all completed trials" in text


def test_it_stands_in_the_report_and_only_where_a_cost_was_searched_for(weighed, bare):
    report = write_report(weighed.folder.root)
    assert "## Trade-off in the search" in report.with_name("report.md").read_text()
    assert "Trade-off in the search" in report.read_text()
    bare.sweep()
    assert "Trade-off in the search" not in write_report(bare.root).with_name("report.md").read_text()
