"""What the final is made of, and what a worker is told of it."""

from pathlib import Path

import pytest

from search.config.sweep import Sweep
from search.engine import final
from search.records.plan import Plan
from search.records.record import Record
from search.records.trial_store import TrialStore
from trainables.assignment import Assignment

RUNGS = [100, 300, 900]


def plan_of(planted, **changes) -> Plan:
    sweep = Sweep.from_yaml(planted.folder.sweep_file.read_text())
    parts = {name: getattr(sweep, name).model_copy(update=part) for name, part in changes.items()}
    return Plan(sweep.model_copy(update=parts), planted.folder, "0f1e2d3c", RUNGS)


def entered(planted, plan: Plan) -> tuple[TrialStore, list[Record]]:
    store = TrialStore(planted.folder)
    final.enter(plan, store)
    return store, final.runs_left(plan, TrialStore(planted.folder))


def test_the_baseline_is_first_and_whole_seeds_follow(searched):
    _, runs = entered(searched, plan_of(searched))
    seeds = [f"{method}/seed-{seed}" for seed in range(3) for method in ("full", "lora", "prompt_tuning")]
    assert [run.id for run in runs] == ["baseline/seed-0", *seeds]


def test_a_run_has_the_winners_hyperparameters_and_a_seed_of_its_own(searched):
    store, runs = entered(searched, plan_of(searched))
    by_id = {run.id: run for run in runs}
    lora = by_id["lora/seed-2"]
    assert (lora.of_trial, lora.origin, lora.split) == ("lora/0001", "winner", "test")  # a tie: the earlier
    assert lora.hyperparameters == store.records["lora/0001"].hyperparameters
    baseline = by_id["baseline/seed-0"]
    assert (baseline.of_trial, baseline.origin, baseline.hyperparameters) == (None, "baseline", {})
    assert len({run.seed for run in runs} | {r.seed for r in store.search("lora")}) == 10 + 4


def test_a_method_without_a_completed_trial_has_no_run(bare):
    bare.trial("full", 0, [20, 30, 40])
    bare.trial("lora", 0, [1], status="failed")
    _, runs = entered(bare, plan_of(bare))
    assert [run.id for run in runs] == ["baseline/seed-0"] + [f"full/seed-{seed}" for seed in range(3)]


def test_a_sweep_in_which_nothing_completed_still_scores_the_baseline(bare):
    _, runs = entered(bare, plan_of(bare))
    assert [run.id for run in runs] == ["baseline/seed-0"]


def test_what_has_ended_is_not_run_again(finished):
    store, runs = entered(finished, plan_of(finished))
    assert runs == []
    assert {r.status for r in store.records.values() if r.phase == "final"} == {"completed"}


def test_more_seeds_are_added_to_those_that_are_there(finished):
    before = finished.folder.read_records()
    _, runs = entered(finished, plan_of(finished, final={"seeds": 4}))
    assert [run.id for run in runs] == ["full/seed-3", "lora/seed-3", "prompt_tuning/seed-3"]
    after = finished.folder.read_records()
    assert [record for record in after if record not in runs] == before


def test_runs_of_a_former_winner_are_done_anew(finished):
    old = finished.folder.read_records()
    finished.adapter(next(r for r in old if r.id == "lora/seed-1"), {"adapter_model.safetensors": "old"})
    better = finished.trial("lora", 3, [24, 29, 99])
    store, runs = entered(finished, plan_of(finished))
    assert [run.id for run in runs] == ["lora/seed-0", "lora/seed-1", "lora/seed-2"]
    for run in runs:
        assert (run.of_trial, run.hyperparameters) == ("lora/0003", better.hyperparameters)
        assert not store.folder.predictions_file(run).exists()
        assert not store.folder.adapter(run).exists()
    others = [r for r in old if r.phase == "final" and r.method != "lora"]
    assert all(store.records[r.id] == r for r in others)


@pytest.mark.parametrize("status", ["failed", "diverged", "out_of_memory"])
def test_a_run_that_failed_is_tried_again(finished, status):
    finished.final("full", 1, None, status=status, rungs=[], failures=2, error="it broke")
    _, runs = entered(finished, plan_of(finished))
    assert [run.id for run in runs] == ["full/seed-1"]
    assert (runs[0].status, runs[0].error, runs[0].failures) == ("running", None, 0)


def test_untuned_defaults_are_retrained_where_the_sweep_says_so_and_they_did_not_win(finished):
    finished.trial("full", 0, [20, 26, 50])
    for seed in range(3):
        finished.final("full", seed, 33, of_trial="full/0000")
    plan = plan_of(finished, final={"retrain_defaults": True})
    store, runs = entered(finished, plan)
    # full's default won, prompt_tuning's was stopped in this folder: neither is retrained
    assert [run.id for run in runs] == [f"lora/untuned-{seed}" for seed in range(3)]
    run, tuned = runs[1], store.records["lora/seed-1"]
    assert (run.of_trial, run.origin, run.phase, run.split) == ("lora/0000", "default", "untuned", "test")
    assert run.hyperparameters == store.records["lora/0000"].hyperparameters
    told = plan.assignment(run)
    assert Path(told.output) == finished.root / "final/lora/untuned-1"
    assert told.evaluate_at_end_only
    fresh = entered(finished, plan_of(finished, final={"seeds": 4, "retrain_defaults": True}))[0].records
    assert fresh["lora/untuned-3"].seed == fresh["lora/seed-3"].seed
    assert tuned.seed == 1  # planted


def test_an_interrupted_run_goes_on_with_what_it_has(finished):
    running = finished.final("full", 1, 20, status="running", ended=None)
    _, runs = entered(finished, plan_of(finished))
    assert runs == [running]


def test_a_trial_is_told_what_to_train_and_where(searched):
    plan = plan_of(searched)
    record = searched.trial("lora", 2, [20, 24], status="running", seed=77)
    assert plan.assignment(record) == Assignment(
        trial="lora/0002",
        task=plan.sweep.task,
        data_seed=0,
        data_fingerprint="0f1e2d3c",
        method="lora",
        hyperparameters=record.hyperparameters,
        seed=77,
        rungs=RUNGS,
        rungs_told=2,
        split="validation",
        evaluation_limit=256,
        evaluate_at_end_only=False,
        checkpoints=str(searched.root / "checkpoints/search/lora/0002"),
        output=None,
        cpus=1,
        tokens=str(searched.root / "tokens"),
    )


def test_a_run_of_the_final_is_scored_once_on_all_of_test_and_kept(finished):
    told = plan_of(finished, resources={"cpus_per_trial": 2}).assignment(finished.final("full", 1, 30))
    assert (told.method, told.rungs, told.split, told.evaluation_limit) == ("full", RUNGS, "test", None)
    assert told.evaluate_at_end_only
    assert Path(told.output) == finished.root / "final/full/seed-1"
    assert Path(told.checkpoints) == finished.root / "checkpoints/final/full/seed-1"
    assert told.cpus == 2


def test_the_baseline_trains_nothing(finished):
    told = plan_of(finished, final={"test_samples": 7}).assignment(finished.final("baseline", 0, 20))
    assert (told.method, told.rungs, told.hyperparameters, told.evaluation_limit) == (None, [0], {}, 7)


def test_a_variant_is_trained_as_its_base(bare):
    variant = "methods: {attention: {base: lora, fix: {targets: attention}}}"
    text = bare.folder.sweep_file.read_text()
    sweep = Sweep.from_yaml(text[: text.index("methods:")] + variant)
    plan = Plan(sweep, bare.folder, "0f1e2d3c", RUNGS)
    told = plan.assignment(bare.trial("attention", 0, []))
    assert (told.method, told.trial) == ("lora", "attention/0000")
