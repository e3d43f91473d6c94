import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from search.records.results import load_results
from search.statistics.multiplicity import all_pairs, holm
from search.verdict import Degenerate, Verdict, verdict
from search.verdict.degenerate import repeats


def judged(planted, **options) -> Verdict:
    return verdict(load_results(planted.root), **options)


def scored(planted, method, seed, scores, ids=None, **changes):
    """A run of the final with these scores a document."""
    scores = list(scores)
    record = planted.final(method, seed, float(np.nanmean(scores)) if scores else None, **changes)
    names = [f"test_{place}" for place in range(len(scores))] if ids is None else ids
    shared = {"source": "s", "references": ["r"], "prediction": "p"}
    rows = [{"id": i, **shared, "rouge1": x + 8, "rougeL": x} for i, x in zip(names, scores, strict=True)]
    planted.predictions(record, rows)
    return record


@pytest.fixture
def documents():
    """What 60 documents add to a score, in points."""
    return np.random.default_rng(3).normal(0, 8, 60)


@pytest.fixture
def noise():
    return np.random.default_rng(4)


def test_methods_stand_in_the_order_of_their_means(finished):
    found = judged(finished)
    assert [method.method for method in found.methods] == ["lora", "full", "prompt_tuning", "baseline"]
    assert [method.score.mean for method in found.methods] == [50, 45, 40, 36]
    assert [method.seeds for method in found.methods] == [3, 3, 3, 1]
    assert (found.metric, found.documents, found.missing) == ("rougeL", 10, [])


def test_every_score_of_the_family_is_estimated(finished):
    lora = judged(finished).methods[0]
    assert list(lora.scores) == ["rougeL", "rouge1"]
    assert lora.scores["rougeL"] == lora.score
    assert lora.scores["rouge1"].mean == pytest.approx(51)


def test_an_interval_is_of_the_documents_where_seeds_agree(finished):
    lora = judged(finished).methods[0].score
    scores = np.arange(10) * 10 + 5
    assert (lora.low, lora.high) == pytest.approx(stats.t.interval(0.95, 9, 50, stats.sem(scores)))
    assert lora.seed_sd == 0


def test_pairs_are_paired_by_document(bare, documents, noise):
    a, b = documents + 30 + noise.normal(0, 3, 60), documents + 28 + noise.normal(0, 3, 60)
    order = noise.permutation(60)
    for seed in (0, 1):  # that agree, so that the documents alone decide
        scored(bare, "full", seed, a)
        scored(bare, "lora", seed, b[order], ids=[f"test_{place}" for place in order])
    (pair,) = judged(bare).pairs
    expected = stats.ttest_rel(a, b)
    assert (pair.better, pair.worse) == ("full", "lora")
    assert pair.effect == pytest.approx(np.mean(a - b))
    assert (pair.low, pair.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert pair.p == pytest.approx(max(pair.p_documents, expected.pvalue), rel=1e-4)
    assert pair.p_documents == pytest.approx(expected.pvalue, abs=0.003)


def test_p_values_are_corrected_over_the_pairs_of_methods_and_apart_with_the_untrained_model(finished):
    pairs = judged(finished).pairs
    between = [pair for pair in pairs if pair.worse != "baseline"]
    untrained = [pair for pair in pairs if pair.worse == "baseline"]
    assert (len(between), len(untrained)) == (3, 3)
    assert [pair.p_corrected for pair in between] == pytest.approx(all_pairs([p.p for p in between], 3))
    assert [pair.p_corrected for pair in untrained] == pytest.approx(holm([p.p for p in untrained]))
    assert all(pair.significant == (pair.p_corrected < 0.05) for pair in pairs)
    assert all(pair.effect >= 0 for pair in pairs)


def test_methods_that_cannot_be_told_apart_share_a_letter(bare, documents, noise):
    for method, mean in (("full", 30), ("lora", 29.9), ("prompt_tuning", 20)):
        for seed in range(3):
            scored(bare, method, seed, documents + mean + noise.normal(0, 3, 60))
    found = judged(bare)
    assert {method.method: method.letters for method in found.methods} == {
        "full": "a",
        "lora": "a",
        "prompt_tuning": "b",
    }
    assert "cannot be told apart from" in found.summary
    assert "better than the others" in found.summary


def test_the_seeds_widen_an_interval_and_may_undo_a_win(bare, documents, noise):
    shifts = {"full": (-2.5, 0, 2.5), "lora": (-3.5, -1, 1.5)}
    for method, seeds in shifts.items():
        for seed, shift in enumerate(seeds):
            scored(bare, method, seed, documents + 30 + shift + noise.normal(0, 0.5, 60))
    (pair,) = judged(bare).pairs
    assert pair.p_documents < 0.001
    assert not pair.significant
    assert pair.low < 0 < pair.high


def test_only_documents_that_all_runs_scored_are_compared(finished):
    results = load_results(finished.root)
    for name, lost in (("full", ["test_3"]), ("lora", ["test_4"])):
        record = results.final(name, 1)
        table = pd.read_parquet(results.folder.predictions_file(record))
        keep = ~table["id"].isin(lost) if name == "full" else slice(None)
        table.loc[table["id"].isin(lost), "rougeL"] = math.nan
        table[keep].to_parquet(results.folder.predictions_file(record))
    found = judged(finished)
    assert found.documents == 8
    assert found.methods[0].score.mean == pytest.approx((450 - 70) / 8 + 5)
    assert "Left out: 2 documents without a finite score in every run." in found.notes


def test_documents_that_share_an_id_are_told_apart_by_their_order(bare, documents):
    ids = [f"test_{place // 2}" for place in range(60)]
    for seed in (0, 1):
        scored(bare, "full", seed, documents + 30, ids=ids)
        scored(bare, "lora", seed, documents + 28, ids=ids)
    found = judged(bare)
    assert found.documents == 60
    assert found.pairs[0].effect == pytest.approx(2)


def test_a_run_without_a_finite_score_is_left_out(bare, documents):
    scored(bare, "full", 0, documents + 30)
    scored(bare, "full", 1, documents + 31)
    scored(bare, "lora", 0, documents + 28)
    scored(bare, "full", 2, [1.0, 2.0])
    record = load_results(bare.root).final("full", 2)
    bare.predictions(record, [{"id": "test_0", "references": ["r"], "rougeL": math.inf}])
    scored(bare, "lora", 1, documents, status="diverged")
    found = judged(bare)
    assert found.documents == 60
    assert {method.method: method.seeds for method in found.methods} == {"full": 2, "lora": 1}
    assert any("full/seed-2" in note for note in found.notes)


def test_costs_are_the_mean_of_seconds_and_the_most_of_bytes(finished):
    lora = judged(finished).methods[0].costs
    assert lora["train_seconds"] == 101
    assert lora["peak_memory_bytes"] == 202 * 2**20
    assert lora["trainable_parameters"] == 10_000
    assert lora["search_seconds"] == load_results(finished.root).search_device_seconds["lora"] > 0
    assert "total_parameters" not in lora
    assert judged(finished).methods[-1].costs == {}


def test_a_front_has_no_method_that_a_cheaper_one_equals(finished):
    fronts = {front.axis: front for front in judged(finished).fronts}
    assert fronts["trainable_parameters"].methods == ["prompt_tuning", "lora"]
    assert fronts["trainable_parameters"].chances == {"lora": 1, "full": 0, "prompt_tuning": 1}
    assert "baseline" not in fronts["train_seconds"].chances


def test_the_hypervolume_is_the_gain_that_a_limit_on_cost_buys(finished):
    front = {front.axis: front for front in judged(finished).fronts}["trainable_parameters"]
    assert (front.reference_cost, front.reference_score) == (1_000_000, 36)
    assert front.hypervolume == pytest.approx(((40 - 36) * 8_000 + (50 - 36) * 990_000) / 1_000_000)
    assert front.hypervolume_low < front.hypervolume < front.hypervolume_high


def test_the_cheapest_method_within_the_margin_is_recommended(bare, documents, noise):
    means = {"full": 30.0, "lora": 29.9, "prompt_tuning": 25.0}
    for method, mean in means.items():
        for seed in range(3):
            scored(bare, method, seed, documents + mean + noise.normal(0, 1, 60))
    advice = {found.axis: found for found in judged(bare).recommendations}
    chosen = advice["trainable_parameters"]
    assert (chosen.method, chosen.best, chosen.cost, chosen.best_cost) == ("lora", "full", 10_000, 1_000_000)
    assert not advice["train_seconds"].shortfall
    assert judged(bare).advice == [
        "To save on trainable parameters (1 %) or size on disk (1 %): lora, at that share of what full "
        f"takes; it is {chosen.shortfall:.2f} points lower, and within 1 point of the best at 95 %.",
        "To save on training time or peak memory: full, which also scores highest; it is tied with lora, and "
        "within 1 point of the best at 95 %.",
    ]
    assert all(advice.is_shown for advice in judged(bare).recommendations)


def test_a_method_that_may_lie_beyond_the_margin_is_not_recommended(bare, documents, noise):
    for method, mean in (("full", 30.0), ("lora", 29.2)):
        for seed in range(3):
            scored(bare, method, seed, documents + mean + noise.normal(0, 5, 60))
    found = {advice.axis: advice for advice in judged(bare).recommendations}["trainable_parameters"]
    assert (found.method, found.shortfall, found.is_cheapest) == ("full", 0, False)
    assert judged(bare).advice[0] == (
        "To save on trainable parameters or size on disk: neither full, which scores highest but is tied "
        "with lora, nor anything cheaper is shown to be within 1 point of the best."
    )
    assert (found.is_shown, found.tied) == (False, ["lora"])
    wide = judged(bare, margin=6).recommendations[0]
    assert (wide.axis, wide.method) == ("trainable_parameters", "lora")


def test_the_summary_names_the_best_and_its_lead_on_the_untrained_model(finished):
    assert judged(finished).summary == (
        "lora scores highest on test: ROUGE-L 50.00 (95 % interval 28.34 to 71.66), 14.00 points (14.00 to "
        "14.00) above the untrained model. It is better than every other method (against each at the 5 % "
        "level)."
    )


def test_to_be_better_than_every_other_each_pair_counts_by_itself(bare, documents, noise):
    """No correction is due: the best has to pass all of the tests, not one of them."""
    for method, mean in (("full", 31.25), ("lora", 30), ("prompt_tuning", 30)):
        for seed in range(3):
            scored(bare, method, seed, documents + mean + noise.normal(0, 3, 60))
    found = judged(bare)
    closest = next(pair for pair in found.pairs if (pair.better, pair.worse) == ("full", found.lead.closest))
    assert found.lead.p == closest.p == max(pair.p for pair in found.pairs if pair.better == "full")
    assert closest.p < 0.05 < 3 * closest.p
    assert (found.lead.best, found.lead.significant, found.lead.tied) == ("full", True, [])
    assert "full scores highest on test" in found.summary
    assert "It is better than every other method (against each at the 5 % level)." in found.summary


def test_a_lead_on_the_untrained_model_is_not_corrected_for_the_pairs_of_methods(bare, documents, noise):
    scored(bare, "baseline", 0, documents + 30 + noise.normal(0, 3, 60))
    for method, mean in (("full", 30.85), ("lora", 30.75), ("prompt_tuning", 30.6)):
        for seed in range(3):
            scored(bare, method, seed, documents + mean + noise.normal(0, 3, 60))
    found = judged(bare)
    pair = next(pair for pair in found.pairs if (pair.better, pair.worse) == (found.lead.best, "baseline"))
    assert 3 * pair.p < 0.05 < 6 * pair.p
    assert pair.significant
    assert "which may be chance" not in found.summary


def test_a_best_that_fails_one_test_is_tied(bare, documents, noise):
    for method, mean in (("full", 30), ("lora", 29.9), ("prompt_tuning", 20)):
        for seed in range(3):
            scored(bare, method, seed, documents + mean + noise.normal(0, 3, 60))
    lead = judged(bare).lead
    assert (lead.best, lead.closest, lead.significant, lead.tied) == ("lora", "full", False, ["full"])
    assert lead.p > 0.05


@pytest.mark.parametrize(("seeds", "wide"), [(2, "so all intervals are wide"), (3, "its intervals are wide")])
def test_a_method_whose_seeds_scatter_is_named(bare, documents, seeds, wide):
    for method, apart in (("full", 0.1), ("lora", 0.2), ("prompt_tuning", 4.6)):
        for seed, shift in enumerate((0, apart, apart / 2)[:seeds]):
            scored(bare, method, seed, documents + 30 + shift)
    note = "prompt_tuning's seeds differ by 4.60 points, those of the other methods by at most 0.20: "
    found = judged(bare)
    assert note + wide + "." in found.notes
    assert not any("lora's seeds" in note for note in found.notes)


def test_intervals_end_where_the_scale_ends(bare):
    for method, score in (("full", 30.0), ("lora", 20.0)):
        for seed in range(2):
            scored(bare, method, seed, [0.0] * 19 + [score])
    found = judged(bare)
    full = found.methods[0]
    assert (full.score.low, full.score.is_cut) == (0, True)
    assert (full.scores["rouge1"].low > 0, full.scores["rouge1"].is_cut) == (True, False)
    assert (
        "Intervals that reach beyond the scale, 0 to 100, are cut off there: full (ROUGE-L) and lora "
        "(ROUGE-L)." in found.notes
    )
    assert "(95 % interval 0.00 to" in found.summary


def test_scores_that_disagree_on_the_best_method_are_named(finished):
    assert not any("disagree" in note for note in judged(finished).notes)
    results = load_results(finished.root)
    for seed in range(3):
        file = results.folder.predictions_file(results.final("full", seed))
        table = pd.read_parquet(file)
        table.assign(rouge1=table["rouge1"] + 10).to_parquet(file)
    assert (
        "The metrics disagree on the best method: by ROUGE-L it is lora, by ROUGE-1 full (56.00; lora 51.00)."
        in judged(finished).notes
    )


def test_outputs_that_are_no_answers_are_counted_by_kind(bare):
    source = " ".join(f"word{place}" for place in range(40))
    texts = [
        *("", "  "),
        *(source, " ".join(source.split()[5:30]), " ".join(source.split()[:8])),
        "He says so. " + "again and again " * 6,
        *["the same"] * 4,
    ]
    for seed in range(2):
        record = bare.final("lora", seed, 10.0)
        record.rungs[-1].capped_share = 0.25 * seed
        bare.folder.write_record(record)
        rows = [
            {"id": f"test_{i}", "source": f"{source} {i}" if text != source else source, "prediction": text}
            | {"references": [f"r{i}"] if i else [""], "rougeL": 10.0, "rouge1": 10.0}
            for i, text in enumerate(texts)
        ]
        bare.predictions(record, rows)
    found = judged(bare)
    assert found.methods[0].degenerate == Degenerate(
        empty=0.1, copied=0.2, repeated=0.1, capped=0.125, same=0.4
    )
    assert (
        "Of lora's outputs on test 10 % are empty, 20 % are copied from the source, 10 % repeat themselves "
        "without end, 12 % are cut by the cap and 40 % are one text for many sources." in found.notes
    )


def test_labels_are_no_degenerate_outputs_unless_there_is_one_only(bare):
    for method, texts in (("full", ["yes"] * 10 + ["no"] * 10), ("lora", ["no"] * 20)):
        for seed in range(2):
            record = bare.final(method, seed, 50.0)
            rows = [
                {"id": f"test_{i}", "source": f"is it {i}?", "prediction": text, "rougeL": 50.0}
                | {"references": ["no" if i % 2 else "yes"], "rouge1": 50.0}
                for i, text in enumerate(texts)
            ]
            bare.predictions(record, rows)
    found = {method.method: method.degenerate for method in judged(bare).methods}
    assert (found["full"].same, found["lora"].same) == (0, 1)
    assert found["lora"].capped is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the car is late and the car is late and the car is late and the car is late and ", True),
        ("a long start, then " + "no " * 30, True),
        ("是的是的是的是的是的是的是的是的是的是的是的是的是的", True),
        ("x" * 24, True),
        ("no no no no", False),
        ("He waits, and waits, and waits, and waits until it is there.", False),
        ("12 000 000", False),
        ("", False),
    ],
)
def test_what_repeats_without_end(text, expected):
    assert repeats(text) == expected


def test_the_same_records_give_the_same_verdict(finished):
    assert judged(finished) == judged(finished)


def test_a_verdict_is_plain_data(finished):
    def leaves(value):
        inner = list(value.values()) if isinstance(value, dict) else value
        return [leaf for v in inner for leaf in leaves(v)] if isinstance(inner, list) else [value]

    assert {type(leaf) for leaf in leaves(dataclasses.asdict(judged(finished)))} <= {
        str,
        int,
        float,
        bool,
        type(None),
    }


def test_nothing_recorded(bare):
    found = judged(bare)
    assert (found.methods, found.pairs, found.fronts, found.recommendations) == ([], [], [], [])
    assert found.summary == "Nothing can be said yet: no trial has been completed."
    assert found.missing == ["full", "lora", "prompt_tuning"]
    assert found.notes == []


def test_before_the_final(searched):
    found = judged(searched)
    assert found.methods == []
    assert found.summary.startswith("No method has been scored on test yet. On validation the best trial so")


def test_only_the_baseline(searched, documents):
    scored(searched, "baseline", 0, documents + 20)
    found = judged(searched)
    assert found.summary.startswith("Only the untrained model has been scored on test: ROUGE-L 19.89 (")
    assert [method.letters for method in found.methods] == [""]
    assert (found.pairs, found.fronts, found.recommendations) == ([], [], [])


def test_an_interrupted_final(searched, documents):
    scored(searched, "baseline", 0, documents + 20)
    for seed in (0, 1):
        scored(searched, "lora", seed, documents + 30)
    searched.final("full", 0, None, status="running", ended=None)
    found = judged(searched)
    assert found.missing == ["full", "prompt_tuning"]
    assert "No other method has been scored." in found.summary
    assert "Without a score on test, and not compared: full and prompt_tuning." in found.notes
    assert found.recommendations == []


def test_a_method_that_failed_altogether(finished):
    for number in range(4):
        finished.trial("full", number, [], status="failed", error="Traceback\nOSError: disk full")
    for seed in range(3):
        finished.final("full", seed, None, status="failed")
    found = judged(finished)
    assert [method.method for method in found.methods] == ["lora", "prompt_tuning", "baseline"]
    assert found.missing == ["full"]


REMEDY = (
    "set final.seeds: 3 and run the sweep again on the same folder (tuneoff run SWEEP --set final.seeds=3), "
    "which adds the missing runs."
)


@pytest.fixture
def one_seed(bare, documents, noise):
    """Four points apart on the same 60 documents, which a test over documents finds every time."""
    bare.sweep(bare.folder.sweep_file.read_text().replace("seeds: 3", "seeds: 1"))
    scored(bare, "baseline", 0, documents + 20)
    for method, mean in (("full", 34), ("lora", 30), ("prompt_tuning", 26)):
        scored(bare, method, 0, documents + mean + noise.normal(0, 1, 60))
    return bare


def test_one_seed_compares_and_recommends_nothing(one_seed):
    found = judged(one_seed)
    assert [method.method for method in found.methods] == ["full", "lora", "prompt_tuning", "baseline"]
    assert found.uncompared == ["full", "lora", "prompt_tuning"]
    assert {method.letters for method in found.methods} == {""}
    assert (found.pairs, found.recommendations, found.advice) == ([], [], [])
    assert {tuple(front.chances) for front in found.fronts} == {()}


def test_one_seed_has_intervals_over_documents_that_say_so(one_seed):
    found = judged(one_seed)
    full, scores = found.methods[0].score, load_results(one_seed.root).predictions("full", 0)["rougeL"]
    assert found.intervals_over == "documents only"
    assert (full.low, full.high) == pytest.approx(stats.t.interval(0.95, 59, full.mean, stats.sem(scores)))
    assert math.isnan(full.seed_sd)
    assert any(note.startswith("How much the seed alone moves a score is not known") for note in found.notes)


def test_one_seed_is_said_to_tell_nothing_apart_and_how_more_are_had(one_seed):
    found = judged(one_seed)
    full, untrained = found.methods[0].score, found.methods[-1].score
    assert found.summary == (
        f"With one seed a method, full scores highest on test: ROUGE-L {full.mean:.2f} (95 % interval over "
        f"documents only {full.low:.2f} to {full.high:.2f}), {full.mean - untrained.mean:.2f} points above "
        f"the untrained model. One seed cannot tell methods apart: {REMEDY}"
    )


def test_a_first_seed_of_several_says_that_others_are_planned(one_seed):
    one_seed.sweep(one_seed.folder.sweep_file.read_text().replace("seeds: 1", "seeds: 3"))
    assert judged(one_seed).summary.endswith(
        "One seed cannot tell methods apart: 3 are planned, and have not all finished."
    )


def test_a_gain_on_test_from_one_seed_has_no_limits(untuned):
    for record in untuned.folder.read_records():
        if record.phase == "untuned" and record.seed:
            untuned.folder.record_file(record).unlink()
    lora = next(default for default in judged(untuned).untuned if default.method == "lora")
    assert lora.gain == pytest.approx(3, abs=1.5)
    assert math.isnan(lora.low)


def test_a_single_seed_among_others_is_compared_with_none(finished):
    """Its interval borrows the others' spread; the others are compared as if it were not there."""
    complete = judged(finished)
    for seed in (1, 2):
        finished.final("lora", seed, 90.0, status="running", ended=None)
    found = judged(finished)
    letters = {method.method: method.letters for method in found.methods}
    assert letters == {"lora": "", "full": "a", "prompt_tuning": "b", "baseline": ""}
    assert found.uncompared == ["lora"]
    assert {name for pair in found.pairs for name in (pair.better, pair.worse)} == letters.keys() - {"lora"}
    assert {advice.best for advice in found.recommendations} == {"full"}
    assert {"lora"}.isdisjoint(name for front in found.fronts for name in front.chances)
    assert found.methods[0].score.low <= complete.methods[0].score.low
    assert found.intervals_over == "seeds and documents"
    assert "With one seed, its spread taken from the other methods: lora." in found.notes


def test_the_best_is_of_those_that_are_compared(finished):
    for seed in (1, 2):
        finished.final("lora", seed, 90.0, status="running", ended=None)
    found = judged(finished)
    assert found.summary == (
        "Of the methods with two seeds or more full scores highest on test: ROUGE-L 45.00 (95 % interval "
        "23.34 to 66.66), 9.00 points (9.00 to 9.00) above the untrained model. It is better than every "
        "other of them (against each at the 5 % level). Not compared is lora (50.00), as one seed cannot "
        "tell methods apart: 3 are planned, and have not all finished."
    )
    assert any("than full, which scores highest of those compared, is shown" in line for line in found.advice)
    assert any(line.endswith("full, which also scores highest of those compared.") for line in found.advice)


def test_without_a_second_to_compare_it_with_the_best_is_said_to_be_alone(one_seed, documents):
    scored(one_seed, "lora", 1, documents + 30)
    summary = judged(one_seed).summary
    assert summary.startswith("Of the methods with two seeds or more lora scores highest on test: ")
    assert "No other method has two seeds. Not compared are full (" in summary
    assert judged(one_seed).recommendations == []


def test_one_document_tells_no_more_than_means(bare):
    for method, score in (("baseline", 20.0), ("full", 30.0), ("lora", 40.0)):
        for seed in (0,) if method == "baseline" else (0, 1):
            scored(bare, method, seed, [score])
    found = judged(bare)
    assert [method.score.mean for method in found.methods] == [40, 30, 20]
    assert math.isnan(found.methods[0].score.low)
    assert not any(pair.significant for pair in found.pairs)
    assert [method.letters for method in found.methods] == ["a", "a", ""]
    assert "With only 1 document no difference between methods can be significant." in found.notes
    assert found.summary == (
        "lora scores highest on test: ROUGE-L 40.00, 20.00 points above the untrained model, which may be "
        "chance. It cannot be told apart from full (at the 5 % level, corrected for the number of pairs)."
    )
    assert {advice.method for advice in found.recommendations} <= {"lora"}


def test_without_predictions_the_records_give_the_means(searched):
    for seed, score in enumerate((30.0, 31.0)):
        searched.final("lora", seed, score)
    searched.final("full", 0, 25.0)
    searched.final("full", 1, math.nan)
    found = judged(searched)
    assert {method.method: method.score.mean for method in found.methods} == {"lora": 30.5, "full": 25}
    assert found.documents == 0
    assert any("no scored document in common" in note for note in found.notes)


def test_runs_that_share_no_document_are_compared_by_their_means(bare):
    for seed in (0, 1):
        scored(bare, "full", seed, [10.0, 20.0], ids=["a", "b"])
        scored(bare, "lora", seed, [30.0, 40.0], ids=["c", "d"])
    found = judged(bare)
    assert [method.score.mean for method in found.methods] == [35, 15]
    assert math.isnan(found.pairs[0].p)


def test_a_method_worse_than_the_untrained_model(bare, documents, noise):
    scored(bare, "baseline", 0, documents + 30)
    for seed in (0, 1):
        scored(bare, "full", seed, documents + noise.normal(20, 1, 60))
    found = judged(bare)
    assert [method.method for method in found.methods] == ["baseline", "full"]
    assert "below the untrained model. No other method" in found.summary


def test_all_scores_equal(bare):
    for method, seed in (("baseline", 0), ("full", 0), ("full", 1), ("lora", 0), ("lora", 1)):
        scored(bare, method, seed, [0.0] * 20)
    found = judged(bare)
    assert {pair.p_corrected for pair in found.pairs} == {1}
    assert {method.method: method.letters for method in found.methods} == {
        "baseline": "",
        "full": "a",
        "lora": "a",
    }
    assert {(method.score.low, method.score.high) for method in found.methods} == {(0, 0)}


@pytest.fixture
def untuned(bare, documents, noise):
    """Winners that are no defaults; lora's default, retrained, is 3 points worse, full's won."""
    bare.trial("lora", 0, [20, 30, 40])
    bare.trial("lora", 1, [20, 30, 50])
    bare.trial("full", 0, [20, 30, 50])
    for seed in range(3):
        scored(bare, "full", seed, documents + noise.normal(30, 2, 60), of_trial="full/0000")
        scored(bare, "lora", seed, documents + noise.normal(33, 2, 60))
        changes = {"id": f"lora/untuned-{seed}", "phase": "untuned", "of_trial": "lora/0000"}
        tuned = load_results(bare.root).final("lora", seed)
        scored(bare, "lora", seed, documents + noise.normal(30, 2, 60), **changes)
        assert load_results(bare.root).final("lora", seed) == tuned
    return bare


def test_a_default_is_compared_with_its_own_winner_by_document(untuned):
    full, lora = sorted(judged(untuned).untuned, key=lambda default: default.method)
    assert (full.is_winner, full.gain, full.low, full.high) == (True, 0, 0, 0)
    results = load_results(untuned.root)
    means = {
        phase: np.mean([results.predictions("lora", seed, phase)["rougeL"] for seed in range(3)], axis=0)
        for phase in ("final", "untuned")
    }
    assert lora.gain == pytest.approx(np.mean(means["final"] - means["untuned"]))
    assert lora.low < 3 < lora.high
    assert lora.low > 0
    assert lora.scores["rougeL"].mean == pytest.approx(means["untuned"].mean())
    assert (lora.seeds, lora.is_winner) == (3, False)


def test_retrained_defaults_change_nothing_in_the_comparison_of_the_methods(untuned):
    """But that they are known: the same verdict without their records."""
    with_them = judged(untuned)
    for record in untuned.folder.read_records():
        if record.phase == "untuned":
            untuned.folder.record_file(record).unlink()
    without = judged(untuned)
    assert [default.method for default in without.untuned] == ["full"]
    assert dataclasses.replace(with_them, untuned=[]) == dataclasses.replace(without, untuned=[])
