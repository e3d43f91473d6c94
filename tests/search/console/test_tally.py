import pytest

from search.config.settings import Search
from search.config.sweep import Sweep
from search.console.tally import Standing, seconds_left, standings
from search.records.record import Stop
from tests.search.conftest import SWEEP

SPENT = 11.0
"""Seconds that a planted trial spends on each rung: see `conftest._rung`."""


def sweep_of(planted) -> Sweep:
    return Sweep.from_yaml(planted.folder.sweep_file.read_text())


def standing(planted, method, phase="search") -> Standing:
    rows = standings(sweep_of(planted), planted.folder.read_records())
    return next(row for row in rows if (row.method, row.phase) == (method, phase))


def test_a_row_a_method_then_the_baseline_then_a_row_a_method(bare):
    rows = [(row.method, row.phase, row.planned) for row in standings(sweep_of(bare), [])]
    methods = ["full", "lora", "prompt_tuning"]
    search = [(method, "search", 4) for method in methods]
    finals = [(method, "final", 3) for method in methods]
    assert rows == [*search, ("baseline", "final", 1), *finals]


def test_trials_are_counted_by_how_they_ended(searched):
    assert standing(searched, "full") == Standing(
        method="full",
        phase="search",
        planned=4,
        running=0,
        paused=0,
        completed=2,
        stopped=1,
        failed=1,
        best_score=33,
        seconds=SPENT * (3 + 3 + 1 + 1),
    )
    prompt_tuning = standing(searched, "prompt_tuning")
    assert (prompt_tuning.completed, prompt_tuning.stopped, prompt_tuning.failed) == (2, 1, 1)
    assert prompt_tuning.ended == 4


def test_a_trial_that_ran_out_of_memory_has_ended_among_the_failed(bare):
    bare.trial("lora", 0, [20, None], status="out_of_memory", error="Out of memory: requested 8 bytes")
    row = standing(bare, "lora")
    assert (row.ended, row.failed, row.running, row.best_score) == (1, 1, 0, None)


def test_a_running_trial_has_spent_but_not_ended_and_is_not_the_best(bare):
    bare.trial("lora", 0, [20, 90], status="running")
    row = standing(bare, "lora")
    assert (row.running, row.ended, row.best_score, row.seconds) == (1, 0, None, 2 * SPENT)


def test_nothing_is_foretold_before_a_trial_of_each_method_has_ended(bare):
    assert seconds_left(sweep_of(bare), [], 2) is None
    records = [bare.trial("full", 0, [1, 2, 3]), bare.trial("lora", 0, [1], status="running")]
    assert seconds_left(sweep_of(bare), records, 2) is None


@pytest.mark.parametrize("concurrent", [1, 2, 4])
def test_the_rest_costs_what_ended_trials_cost_and_the_final_what_the_longest_did(bare, concurrent):
    records = [
        bare.trial("full", 0, [1, 2, 3]),
        bare.trial("full", 1, [1], status="stopped"),
        bare.trial("lora", 0, [1, 2], status="failed"),
        bare.trial("prompt_tuning", 0, [1, 2, 3]),
        bare.trial("prompt_tuning", 1, [1], status="running"),
    ]
    full = 2 * (SPENT * (3 + 1) / 2) + 3 * (SPENT * 3)
    lora = 3 * (SPENT * 2) + 3 * (SPENT * 2)
    prompt_tuning = 3 * (SPENT * 3) + 3 * (SPENT * 3)
    expected = (full + lora + prompt_tuning) / concurrent
    assert seconds_left(sweep_of(bare), records, concurrent) == pytest.approx(expected)


def test_nothing_is_left_of_a_sweep_that_has_ended(finished):
    assert seconds_left(sweep_of(finished), finished.folder.read_records(), 2) == 0


def test_audits_are_planned_for_what_was_stopped_and_defaults_where_they_did_not_win(searched):
    searched.sweep(
        SWEEP.replace("seeds: 3", "seeds: 3, retrain_defaults: true").replace(
            "method: 4", "method: 4, audit: 5"
        )
    )
    searched.trial("full", 0, [20, 26, 50])  # the default wins
    records = searched.folder.read_records()
    rows = {(row.method, row.phase): row.planned for row in standings(sweep_of(searched), records)}
    extra = {key: planned for key, planned in rows.items() if key[1] in ("untuned", "audit")}
    audits = {("full", "audit"): 1, ("lora", "audit"): 1, ("prompt_tuning", "audit"): 1}
    assert extra == {("lora", "untuned"): 3, ("prompt_tuning", "untuned"): 3, **audits}
    without = seconds_left(
        sweep_of(searched).model_copy(update={"search": Search(trials_per_method=4)}), records, 1
    )
    assert seconds_left(sweep_of(searched), records, 1) == pytest.approx(without + 3 * (SPENT * 3))


def test_what_is_left_to_promote_costs_full_trainings(bare):
    """Of 9 trials 3 go on by score, then 1, and beside them the default where chance does not promote it."""
    bare.sweep(
        SWEEP.replace("trials_per_method: 4", "trials_per_method: 9, scheduler: promote, promote_by: score")
    )
    sweep = sweep_of(bare)
    sweep = sweep.model_copy(update={"methods": {"full": sweep.methods["full"]}})
    stop = {"status": "stopped", "stop": Stop(rung=0, value=1, cut_off=None)}
    records = [bare.trial("full", n, [n], status="paused") for n in range(3)]
    records += [bare.trial("full", n, [n], **stop) for n in range(3, 9)]
    each = 9 * SPENT / (9 / 9)  # 9 first rungs of a ninth each
    second = 3 + 2 / 3
    third = 1 + (second - 1) / second
    search = each * (second * 2 / 9 + third * 6 / 9)
    assert seconds_left(sweep, records, 1) == pytest.approx(search + 3 * each)
