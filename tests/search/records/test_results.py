import math
import subprocess
import sys

import pytest

from search.records.results import load_results, winner
from tests.search.conftest import SWEEP
from trainables.errors import InputError


def test_trials_have_a_row_each_with_the_last_score_and_the_best(finished):
    trials = load_results(finished.root).trials.set_index("id")
    assert len(trials) == 12
    lora = trials.loc["lora/0001"]
    assert (lora["score"], lora["best_score"], lora["rungs"], lora["examples"]) == (34.5, 35.0, 3, 900)
    assert (lora["train_seconds"], lora["validation_loss"]) == (30.0, 0.5)
    assert lora["hyperparameters.rank"] == 8
    assert math.isnan(trials.loc["full/0001", "hyperparameters.rank"])
    assert (trials["origin"] == "default").sum() == 3


def test_trials_say_why_they_ended(finished):
    trials = load_results(finished.root).trials.set_index("id")
    assert trials.loc["lora/0002", ["stop_rung", "stop_value", "stop_cut_off"]].tolist() == [1, 24, 27]
    assert trials.loc["prompt_tuning/0002", "error"] == "RuntimeError: out of memory | <b>8 GiB</b>"
    assert math.isnan(trials.loc["full/0003", "score"])


def test_finals_have_a_row_a_seed_and_the_baselines(finished):
    finals = load_results(finished.root).finals
    assert len(finals) == 10
    lora = finals[finals["method"] == "lora"]
    assert lora["seed"].tolist() == [0, 1, 2]
    assert lora["rouge1"].tolist() == [41.5, 42.5, 43.5]
    assert lora["of_trial"].unique().tolist() == ["lora/0001"]
    assert lora["train_seconds"].mean() == 101
    assert finals.loc[finals["method"] == "baseline", "origin"].tolist() == ["baseline"]


def test_predictions_keep_several_references(finished):
    table = load_results(finished.root).predictions("lora", seed=1)
    assert table["references"].iloc[0] == ["The oven is late.", "#Person2# needs 5 days for the oven."]
    assert table.set_index("id").loc["test_9", "rougeL"] == 95


@pytest.mark.parametrize(("method", "seed"), [("lora", 7), ("nothing", 0)])
def test_predictions_that_are_not_there(finished, method, seed):
    with pytest.raises(InputError, match=f"no predictions of '{method}' with seed {seed}"):
        load_results(finished.root).predictions(method, seed)


def test_a_folder_without_records_has_tables_with_columns(bare):
    results = load_results(str(bare.root))
    assert results.trials.empty
    assert results.finals.empty
    assert results.trials["score"].dtype == results.finals["score"].dtype == float
    assert results.methods == ["full", "lora", "prompt_tuning"]


def test_a_folder_of_run_folders_is_no_run_folder(bare):
    with pytest.raises(InputError, match=r"holds no sweep.yaml.*Did you mean.*: planted"):
        load_results(bare.root.parent)


def test_a_missing_folder_is_no_run_folder(tmp_path):
    with pytest.raises(InputError, match=r"not a run folder.*`tuneoff run` printed"):
        load_results(tmp_path / "nowhere")


def test_the_winner_is_the_completed_trial_with_the_best_last_score(bare):
    records = [
        bare.trial("lora", 0, [10, 20, 30]),
        bare.trial("lora", 1, [50, 50], status="stopped"),
        bare.trial("lora", 2, [10, 90, 31]),
        bare.trial("lora", 3, [10, 20, math.nan]),
        bare.trial("lora", 4, [10, 20, None]),
        bare.trial("lora", 5, [10, 20, 31]),
    ]
    assert winner(records) == records[2]
    assert winner(reversed(records)) == records[2]


def test_there_is_no_winner_without_a_completed_trial(bare):
    final = bare.final("lora", 0, 40)
    assert winner([]) is None
    assert winner([bare.trial("lora", 0, [10], status="running"), final]) is None


@pytest.mark.parametrize(
    ("gpus", "placed", "devices"),
    [
        ('"auto"', None, 1),
        ('"auto"', 0, 1),
        ('"auto"', 0.25, 0.25),
        ("0", 0, 1),
        ("0.5", 0.5, 0.5),
        ("1", None, 1),
    ],
)
def test_a_search_costs_the_seconds_of_all_its_trials_times_their_devices(searched, gpus, placed, devices):
    """A planted rung takes 10 s of training and 1 s of evaluation, a trial half a second to begin."""
    if placed is not None:
        searched.provenance({**searched.folder.read_provenance(), "placement": {"gpus_per_trial": placed}})
    searched.sweep(f"{SWEEP}resources: {{gpus_per_trial: {gpus}}}\n")
    searched.trial("full", 3, [], status="failed")
    assert load_results(searched.root).search_device_seconds == {
        "full": devices * (33.5 + 33.5 + 11.5),
        "lora": devices * (33.5 + 33.5 + 22.5 + 33.5),
        "prompt_tuning": devices * (11.5 + 33.5 + 11.5 + 33.5),
    }


def test_a_trial_that_needed_a_whole_gpu_has_cost_one(searched):
    searched.sweep(f"{SWEEP}resources: {{gpus_per_trial: 0.25}}\n")
    before = load_results(searched.root).search_device_seconds["full"]
    searched.trial("full", 0, [20, 26, 30], whole_gpu=True)
    after = load_results(searched.root).search_device_seconds["full"]
    assert after == before + 0.75 * 33.5


def test_reading_needs_neither_ray_nor_torch():
    code = (
        "import sys, search.report.write, search.records.results, search.report.exporting; "
        "print(sorted({'ray', 'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_methods_that_only_the_records_know_come_last(finished):
    finished.trial("lora_attention", 0, [1])
    assert load_results(finished.root).methods == ["full", "lora", "prompt_tuning", "lora_attention"]
