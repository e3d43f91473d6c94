import math

import pytest
from scipy.stats import kendalltau

from search.records.results import load_results
from search.verdict.importance import Importance
from search.verdict.search_quality import search_statistics
from tests.search.conftest import SWEEP


def test_the_expected_best_is_of_the_random_startup_trials(bare):
    for number, score in enumerate([50, 20, 30, 40, 10, 99]):
        bare.trial("lora", number, [score])
    found = search_statistics(load_results(bare.root), "lora").expected_best
    assert found == pytest.approx([25, (20 + 30 * 2 + 40 * 3) / 6, (30 + 3 * 40) / 4, 40])


def test_a_random_search_is_random_throughout_and_a_quasi_random_one_nowhere(bare):
    for sampler, count in (("random", 7), ("qmc", 0)):
        bare.sweep(SWEEP.replace("trials_per_method: 4", f"trials_per_method: 8, sampler: {sampler}"))
        for number in range(8):
            bare.trial("lora", number, [20 + number])
        assert len(search_statistics(load_results(bare.root), "lora").expected_best) == count


def test_stopped_and_diverged_trials_count_low_and_failed_ones_not(bare):
    bare.trial("lora", 1, [10, 20], status="stopped")
    bare.trial("lora", 2, [], status="diverged")
    bare.trial("lora", 3, [], status="failed")
    bare.trial("lora", 4, [30], status="running")
    assert search_statistics(load_results(bare.root), "lora").expected_best == pytest.approx([10, 20])


def test_rungs_are_correlated_over_the_trials_that_reached_both(bare):
    scores = [[10, 12, 13], [11, 15, 18], [12, 14, 16], [9, 16], [5]]
    for number, trial in enumerate(scores):
        bare.trial("lora", number, trial)
    rungs = search_statistics(load_results(bare.root), "lora").rungs
    assert [(r.earlier, r.later, r.trials) for r in rungs] == [(0, 1, 4), (0, 2, 3), (1, 2, 3)]
    assert rungs[0].kendall == pytest.approx(kendalltau([10, 11, 12, 9], [12, 15, 14, 16]).statistic)
    assert rungs[1].spearman == pytest.approx(0.5)
    assert rungs[2].kendall == pytest.approx(1)


def test_scores_that_are_not_finite_have_no_rank(bare):
    for number, trial in enumerate([[1, 2], [2, None], [3, math.nan], [4, 5]]):
        bare.trial("lora", number, trial)
    (rung,) = search_statistics(load_results(bare.root), "lora").rungs
    assert rung.trials == 2
    assert math.isnan(rung.kendall)


def test_a_search_that_has_not_begun(bare):
    found = search_statistics(load_results(bare.root), "lora")
    assert (found.expected_best, found.rungs, found.importance) == ([], [], Importance({}, 0))


def test_a_method_that_only_the_records_know(finished):
    finished.trial("lora_attention", 1, [1, 2, 3])
    found = search_statistics(load_results(finished.root), "lora_attention")
    assert found.expected_best == [3]
    assert found.importance == Importance({}, 0)


def test_importance_is_of_the_methods_own_trials(finished):
    assert search_statistics(load_results(finished.root), "lora").importance.trials == 4
