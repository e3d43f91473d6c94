"""The report's values in closed form, its text against tests/golden/report.md, and what must not break it."""

import json
import math
import re

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from search.records.record import Stop
from search.records.results import load_results
from search.report import sampled as examples
from search.report import tables
from search.report.coordinates import at_equal_time
from search.report.document import document
from search.report.markdown import DASH
from search.report.page import page
from search.report.sections import sections
from search.report.write import write_comparison, write_report
from search.statistics import sd_of_best
from search.verdict import verdict
from search.verdict.search_quality import search_statistics
from tests.search.conftest import PROVENANCE, SWEEP, plant_copies
from trainables.accelerator import Accelerator
from trainables.status import Status


def read(planted) -> str:
    results = load_results(planted.root)
    quality = [search_statistics(results, method) for method in results.methods]
    found = verdict(results)
    return document(results, found, sections(results, found, quality))


def test_the_text_is_as_agreed(finished, golden):
    golden(read(finished), "report.md")


def test_the_text_and_the_tables_are_written_too(finished):
    report = write_report(finished.root).parent
    assert (report / "report.md").read_text(encoding="utf-8") == read(finished)
    assert json.loads((report / "report.json").read_text())["methods"][0]["method"] == "lora"
    methods = pd.read_csv(report / "methods.csv", index_col="method")
    assert methods.loc["lora", "rougeL_mean"] == 34.5
    assert len(pd.read_csv(report / "trials.csv")) == 12


def test_methods_have_the_mean_and_the_sample_spread_of_their_seeds(finished):
    table = tables.methods(load_results(finished.root))
    assert table.index.tolist() == ["lora", "full", "prompt_tuning", "baseline"]
    lora = table.loc["lora"]
    assert (lora["rougeL_mean"], lora["rougeL_sd"], lora["rouge1_sd"], lora["seeds"]) == (34.5, 1.0, 1.0, 3)
    assert lora["trainable_percent"] == pytest.approx(100 * 10_000 / 1_010_000)
    assert (lora["train_seconds"], lora["peak_memory_bytes"], lora["adapter_bytes"]) == (
        101,
        202 * 2**20,
        40_000,
    )
    assert math.isnan(table.loc["baseline", "rougeL_sd"])


def test_the_default_is_compared_with_the_winner_only_at_equal_budgets(finished):
    table = tables.tuning(load_results(finished.root))
    assert table.loc["lora", ["default", "tuned", "gain", "winner"]].tolist() == [31, 34.5, 3.5, "lora/0001"]
    assert table.loc["prompt_tuning", "default_status"] == "stopped"
    assert math.isnan(table.loc["prompt_tuning", "gain"])


def untuned(planted, shift: float) -> None:
    """lora's default, retrained: `shift` points off its winner on every document."""
    for seed in range(3):
        record = planted.final("lora", seed, 34.5 + shift)
        record = record.model_copy(
            update={
                "id": f"lora/untuned-{seed}",
                "phase": "untuned",
                "origin": "default",
                "of_trial": "lora/0000",
            }
        )
        planted.folder.write_record(record)
        rows = load_results(planted.root).predictions("lora", seed).to_dict("records")
        planted.predictions(record, [row | {"rougeL": row["rougeL"] + shift} for row in rows])
        planted.final("lora", seed, 33.5 + seed)


def test_an_untuned_default_that_was_retrained_has_a_row_and_a_gain(finished):
    untuned(finished, -2.0)
    report = read(finished)
    lines = [line.partition("|")[2].partition("|")[0].strip() for line in report.splitlines()]
    assert [line for line in lines if line.startswith(("`", "baseline"))][:5] == [
        "`lora`",
        "`lora (default)`",
        "`full`",
        "`prompt_tuning`",
        "baseline (untrained)",
    ]
    assert "+2.00 [+2.00, +2.00]" in report
    assert "`(default)` is its default configuration, retrained alike" in report
    methods = pd.read_csv(write_report(finished.root).parent / "methods.csv", index_col="method")
    assert methods.loc["lora (default)", ["rougeL_mean", "seeds"]].tolist() == [32.5, 3]


def test_a_gain_from_one_seed_has_no_interval(finished):
    untuned(finished, -2.0)
    for record in finished.folder.read_records():
        if record.phase in ("final", "untuned") and record.seed:
            finished.folder.record_file(record).unlink()
    report = read(finished)
    assert "| +2.00 |" in " ".join(report.split())
    assert "its default's, retrained alike; one seed has no interval." in report


def test_without_retrained_defaults_the_way_to_have_them_is_told(finished):
    assert "`final.retrain_defaults: true` retrains the defaults too" in read(finished)
    text = finished.folder.sweep_file.read_text()
    finished.folder.sweep_file.write_text(text.replace("retrain_defaults: false", "retrain_defaults: true"))
    assert "retrains the defaults too" not in read(finished)


def test_where_the_default_won_there_is_no_gain(finished):
    finished.trial("lora", 0, [21, 27, 99])
    for seed in range(3):
        finished.final("lora", seed, 34.5, of_trial="lora/0000")
    report = read(finished)
    row = next(line for line in report.splitlines() if "the default |" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "`lora`",
        "99.00",
        "99.00",
        "-",
        "the default",
    ]
    assert "No trial beat the default configuration of `lora`." in report


def test_what_is_beside_the_final_and_not_at_its_end_is_said(finished):
    untuned(finished, -2.0)
    record = load_results(finished.root).final("lora", 2, "untuned")
    finished.folder.write_record(record.model_copy(update={"status": Status.RUNNING}))
    assert "> Of the 3 retrained defaults, 1 have not ended." in read(finished)


def test_the_search_is_counted_and_summed(finished):
    table = tables.search(load_results(finished.root))
    ends = ["done", "completed", "stopped", "diverged", "failed", "running"]
    assert table.loc["full", ends].tolist() == [4, 2, 1, 1, 0, 0]
    assert table.loc["full", "search_seconds"] == 33 + 33 + 11 + 11
    assert table["winner"].tolist() == ["full/0001", "lora/0001", "prompt_tuning/0001"]


def test_at_equal_time_only_trials_within_the_cheapest_search_count(finished):
    """The last trial of each dear search ends after it; lora's fifth is its best."""
    finished.trial("lora", 4, [30, 38, 40])
    finished.trial("full", 4, [15], status="stopped")
    results = load_results(finished.root)
    equal = at_equal_time(results)
    assert equal.name == "prompt_tuning"
    assert equal.to_dict() == {"full": 33, "lora": 34.5, "prompt_tuning": 19}
    assert tables.search(results).loc["lora", "best_validation"] == 40
    text = read(finished)
    assert "40.00 |         34.50 |" in text
    assert "the cheapest search, which is `prompt_tuning`'s" in text


def test_at_equal_time_a_method_may_have_nothing_yet(bare):
    bare.trial("full", 0, [20])
    bare.trial("lora", 0, [10, 20, 30])
    equal = at_equal_time(load_results(bare.root))
    assert (equal.name, equal["full"]) == ("full", 20)
    assert math.isnan(equal["lora"])
    assert at_equal_time(load_results(bare.root)).index.tolist() == ["full", "lora"]


def test_stops_are_counted_where_they_happened(finished):
    table = tables.stops(load_results(finished.root)).set_index(["method", "examples"])
    assert table.loc[("lora", 300)].tolist() == [4, 1]
    assert table.loc[("full", 100)].tolist() == [4, 1]
    assert table["stopped"].sum() == 3


def test_device_seconds_are_of_all_records(finished):
    spent = tables.device_seconds(load_results(finished.root))
    assert spent.search == 88 + 121 + 88 + 12 * 0.5
    assert spent.final == 10 * 7 + 3 * 303
    assert spent.total == spent.search + spent.final


def test_examples_lie_at_evenly_spaced_quantiles(finished):
    chosen = examples.choose(load_results(finished.root))
    assert [example.id for example in chosen] == ["test_1", "test_3", "test_5", "test_7", "test_9"]
    assert [example.mean_score for example in chosen] == [10, 30, 50, 70, 90]
    assert [output.method for output in chosen[0].outputs] == ["baseline", "lora", "full", "prompt_tuning"]
    assert [output.score for output in chosen[1].outputs] == [21, 35, 30, 25]


def test_with_few_documents_each_is_shown_once(finished):
    assert len(examples.choose(load_results(finished.root), count=50)) == 10


def test_a_folder_without_records(bare):
    report = read(bare)
    assert "**Nothing can be said yet: no trial has been completed.**" in report
    assert "0 of 12 trials have ended; running or interrupted: 0; not started: 12." in report
    assert "Fewer than two scores on test" in report


def test_a_folder_without_provenance(bare):
    bare.folder.provenance_file.unlink()
    report = read(bare)
    assert "No trial has been scored yet." in report
    assert "Documents: -" in report
    assert "tuneoff run sweep.yaml" in report


def test_a_sweep_before_its_final(searched):
    report = read(searched)
    assert "No method has been scored on test yet. On validation the best trial so far is lora/0001" in report
    assert "> No run of the final has finished." in report
    assert "No predictions on test yet." in report


def test_a_sweep_that_was_interrupted(bare):
    bare.trial("lora", 0, [10, 20], status="running", ended=None)
    bare.trial("lora", 1, [], status="running", ended=None)
    bare.trial("full", 0, [10], status="stopped", stop=Stop(rung=0, value=10, cut_off=12))
    report = read(bare)
    assert "1 of 12 trials have ended; running or interrupted: 2; not started: 9." in report
    assert "20.00 (running at 300 examples)" in report


def test_a_sweep_that_promotes_counts_what_is_paused_and_what_it_trained(bare):
    bare.sweep(SWEEP.replace("trials_per_method: 4", "trials_per_method: 4, scheduler: promote"))
    bare.trial("lora", 0, [10, 20], status="paused", ended=None)
    stop = Stop(rung=0, value=10, cut_off=None, rank=2, of=3, go_on=1)
    bare.trial("lora", 1, [10], status="stopped", stop=stop)
    report = read(bare)
    assert "1 of 12 trials have ended; running or interrupted: 0; paused: 1; not started: 10." in report
    (row,) = re.findall(r"\n\| `lora` .*0\.4 for 2 trials", report)  # (300 + 100) / 900
    assert row.split("|")[2].strip() == "1 of 2"
    assert "Each trial was paused at its rung, and the best went on" in report
    trials = load_results(bare.root).trials.set_index("id")
    assert trials.loc["lora/0001", "stop_reason"] == stop.reason


def test_a_method_whose_trials_all_failed(searched):
    for number in range(4):
        searched.trial("full", number, [], status="failed", failures=2, error="Traceback\nOSError: disk full")
    searched.final("lora", 0, 33.5)
    report = read(searched)
    assert "> `full` has no winner, no score at the full budget: of its trials 4 failed." in report
    assert "- `full/0000` failed after 2 retries: `OSError: disk full`" in report
    assert "Seeds finished, of 3 planned a method: `lora` 1, `full` 0 and `prompt_tuning` 0." in report
    assert "No other method has been scored." in report


def test_a_winner_that_collapsed_has_a_banner(finished):
    assert "collapsed" not in read(finished)
    finished.trial("full", 1, [22, 40, 33])
    banner = next(line for line in read(finished).splitlines() if "collapsed" in line)
    assert banner.startswith(
        "> **The winner of `full` collapsed**: `full/0001` scored 40.00 at 300 examples and 33.00 at the end"
    )


def test_resumptions_are_told_with_what_changed(finished):
    provenance = finished.folder.read_provenance()
    other = {**provenance, "versions": {**provenance["versions"], "torch": "1.0"}}
    provenance["resumed"] = [dict(provenance), other]
    finished.folder.write_json(finished.folder.provenance_file, provenance)
    assert "resumed 2 times, 1 of them with other versions or hardware" in read(finished)


def test_the_gpus_of_all_runs_are_named_with_how_they_were_shared(searched):
    l4 = Accelerator(name="NVIDIA L4", driver="570.86.15", cuda="12.8", cudnn="9.10.2", processes=1)
    shared = l4.model_copy(update={"processes": 3, "is_mps": True})
    for number, device in enumerate([l4, shared, shared, Accelerator(name="Radeon")]):
        record = searched.trial("full", number, [20.0])
        record.rungs[-1].accelerator = device
        searched.folder.write_record(record)
    report = read(searched)
    l4s = "GPU: `NVIDIA L4, driver 570.86.15, CUDA 12.8, cuDNN 9.10.2`, 3 runs"
    assert f"{l4s}, of which 2 through MPS and 2 beside other processes\n" in report
    assert "- GPU: `Radeon`, 1 run\n" in report
    assert report.count("- GPU: ") == 2


@pytest.mark.parametrize(
    ("gpus", "deterministic", "expected"),
    [
        (0.0, False, "sweep seed 0\n"),
        (0.5, False, "sweep seed 0; algorithms of the GPU that add in any order"),
        (0.5, True, "sweep seed 0; deterministic algorithms\n"),
    ],
)
def test_what_equal_seeds_promise_is_said(finished, gpus, deterministic, expected):
    finished.provenance(PROVENANCE | {"placement": {"gpus_per_trial": gpus}})
    finished.sweep(SWEEP.replace("task:\n", f"task:\n  deterministic: {str(deterministic).lower()}\n"))
    assert expected in read(finished)


CLAIMS = ("Ties", "share a letter", "Significant", "Holm", "p:", "better than", "To save on")
"""What tells methods apart, by letters, p-values or words."""


def test_one_seed_claims_nothing_and_names_the_remedy(one_seed):
    report = read(one_seed)
    assert [claim for claim in CLAIMS if claim in report] == []
    assert "lora scores highest on test: ROUGE-L 50.00 (95 % interval over documents only 28.34 to" in report
    assert (
        "One seed cannot tell methods apart: set final.seeds: 3 and run the sweep again on the same" in report
    )
    assert "(tuneoff run SWEEP --set final.seeds=3)" in report
    assert "one seed a method with its 95 % interval over documents only." in report
    assert "One seed cannot tell methods apart: no pair is compared." in report


def test_the_same_sweep_claims_all_that_with_three(finished):
    report = read(finished)
    assert [claim for claim in CLAIMS if claim not in report] == []


def test_the_values_of_one_seed_claim_nothing_either(one_seed):
    report = write_report(one_seed.root).parent
    text = (report / "report.json").read_text()
    values = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (values["pairs"], values["recommendations"], values["advice"]) == ([], [], [])
    assert (values["intervals_over"], values["uncompared"]) == (
        "documents only",
        ["lora", "full", "prompt_tuning"],
    )
    assert {method["letters"] for method in values["methods"]} == {""}


def test_a_comparison_of_sweeps_has_no_letters_where_there_is_one_seed(one_seed, tmp_path):
    path = write_comparison([one_seed.root, one_seed.root], tmp_path / "compared")
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "900 examples a trial, intervals over documents only" in text
    assert text.count(" 50.00 [28.34, 71.66] |") == 2
    assert "One seed cannot tell methods apart: set final.seeds: 3" in text
    assert "To save on" not in text


def test_a_method_with_one_seed_has_no_letter_and_is_in_no_pair(finished):
    for seed in (1, 2):
        finished.final("lora", seed, 90.0, status="running", ended=None)
    lines = read(finished).splitlines()
    table = [[cell.strip() for cell in line.split("|")] for line in lines[lines.index("## Methods") :]]
    header, _, lora = table[2:5]
    assert dict(zip(header, lora, strict=True))["Ties"] == DASH
    pairs = lines.index("## Improvements")
    shown = "\n".join(lines[pairs : lines.index("## What tuning brought")])
    assert "`full`" in shown
    assert "| `lora`" not in shown
    assert "Not compared, with one seed: `lora`." in shown


def test_one_seed_has_no_spread(searched):
    searched.sweep((searched.folder.sweep_file).read_text().replace("seeds: 3", "seeds: 1"))
    for method, score in (("lora", 33.5), ("full", 33.4), ("prompt_tuning", 20)):
        searched.final(method, 0, score)
    report = read(searched)
    assert "lora scores highest on test: ROUGE-L 33.50, the untrained model was not scored." in report
    assert "means only, without intervals or comparisons" in report  # there are no predictions
    assert "The untrained model (baseline) has not been scored on test." in report


def test_methods_worse_than_the_untrained_model(searched):
    searched.final("baseline", 0, 40)
    searched.final("lora", 0, 33.5)
    assert "6.50 points below the untrained model" in read(searched)


def test_a_final_that_diverged_does_not_count(finished):
    finished.final("lora", 2, None, status="diverged")
    report = read(finished)
    assert tables.methods(load_results(finished.root)).loc["lora", "rougeL_mean"] == 34.0
    assert "- `lora/seed-2` diverged: a loss or score was not finite" in report


def test_a_winner_that_changed_after_the_final(finished):
    finished.trial("lora", 4, [30, 35, 40])
    assert "`lora` was retrained from `lora/0001`; its winner is now `lora/0004`." in read(finished)


def test_predictions_that_are_missing_are_said_to_be(finished):
    finished.folder.predictions_file(load_results(finished.root).final("full", 0)).unlink()
    report = read(finished)
    assert "Not shown, as their predictions are not at hand: `full`." in report
    assert "### Example 5 of 5" in report


def test_only_the_baseline_has_predictions(finished):
    for method in ("full", "lora", "prompt_tuning"):
        finished.folder.predictions_file(load_results(finished.root).final(method, 0)).unlink()
    assert [example.mean_score for example in examples.choose(load_results(finished.root))] == [
        1,
        21,
        41,
        61,
        81,
    ]


def test_text_of_data_and_models_is_never_markup(finished):
    hostile = "```\n# heading\n````text\n<script>alert(1)</script> | a | 🙂 مرحبا \x1b[31m\u2028# heading"
    row = {"id": "a|b`<b>", "source": hostile, "references": [hostile, ""], "rouge1": 9.0, "rougeL": math.nan}
    for method in ("baseline", "lora", "full", "prompt_tuning"):
        record = load_results(finished.root).final(method, 0)
        finished.predictions(record, [row | {"prediction": hostile, "rougeL": 10.0}])
    finished.trial("lora", 1, [25, 35, 34.5], hyperparameters={"init": hostile})
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(read(finished))
    everything = [child for token in tokens for child in [token, *(token.children or [])]]
    assert not {"html_block", "html_inline"} & {token.type for token in everything}
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert len(headings) == 12
    assert "\x1b" not in read(finished)


def test_copies_are_rows_outside_the_tests(finished):
    before = verdict(load_results(finished.root))
    plant_copies(finished, lead=2.0, tail=-7.0, longest=-8.0)
    found = verdict(load_results(finished.root))
    assert (found.methods, found.pairs, found.fronts) == (before.methods, before.pairs, before.fronts)
    assert [(copy.label, copy.scores["rougeL"].mean) for copy in found.copies] == [
        ("first 2 turns", 47.0),
        ("last turn", 38.0),
        ("longest turn", 37.0),
    ]
    spread = 2.2622 * pd.Series(range(0, 100, 10)).sem()  # Student's t with 9 degrees of freedom
    lead = found.copies[0].scores["rougeL"]
    assert (lead.low, lead.high) == pytest.approx((47 - spread, 47 + spread), abs=0.01)
    worse = [note for note in found.notes if "copy" in note]
    assert worse == [
        "On test full (45.00) and prompt_tuning (40.00) score no more than a copy of each source's first 2 "
        "turns (47.00)."
    ]
    text = read(finished)
    names = [
        line.split("|")[1].strip()
        for line in text.partition("## Improvements")[0].splitlines()
        if "|" in line
    ]
    assert names[2:] == [
        "`lora`", "copy: first 2 turns", "`full`", "`prompt_tuning`", "copy: last turn", "copy: longest turn",
        "baseline (untrained)",
    ]  # fmt: skip
    assert "outside the tests" in text
    results = load_results(finished.root)
    assert '<th scope="row">copy: first 2 turns</th>' in page(
        results, found, sections(results, found, []), []
    )


def test_copies_of_other_documents_than_those_compared_are_not_shown(finished):
    plant_copies(finished)
    (baseline,) = [record for record in finished.folder.read_records() if record.method == "baseline"]
    file = finished.folder.output(baseline) / "copies.parquet"
    table = pd.read_parquet(file)
    table[table["id"] != "test_3"].to_parquet(file)
    assert verdict(load_results(finished.root)).copies == []


def test_how_much_another_search_would_move_a_winner_is_told(finished):
    assert "another search would find others. " in read(finished)
    for number in range(4, 7):
        finished.trial("lora", number, [20, 25, 30 + number])
    found = verdict(load_results(finished.root))
    (sd,) = found.search_sd.values()
    assert sd == sd_of_best([34.5, 31, 34.5, 34, 35, 36])
    assert (
        f"another search would find others, whose best validation score moves by about {sd:.2f} points"
        in read(finished)
    )
