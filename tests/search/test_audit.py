"""The audit of early stopping: what is drawn and kept, what is run, and what is said of it."""

import math
from collections import Counter

import optuna
import pytest
from scipy import stats

from search.config.sweep import Sweep
from search.engine import final
from search.engine.runner import run
from search.records.audit import audit_of, drawn
from search.records.plan import Plan
from search.records.record import Record, Stop
from search.records.results import load_results, winner
from search.records.seeds import derived_seed
from search.records.trial_store import TrialStore
from search.report import tables
from search.report.early_stopping import audit
from search.statistics.trials import share_interval
from search.verdict.search_quality import Audit, search_statistics
from tests.search.conftest import RUNGS, SWEEP
from tests.search.journal import journal
from tests.search.replay import RUNGS as REPLAYED
from tests.search.replay import Replay, curve, plant_task, steps, sweep
from trainables.rung_report import RungReport
from trainables.storage.atomic import write_text


def stopped(planted, method, number, scores, **changes):
    stop = Stop(rung=len(scores) - 1, value=scores[-1], cut_off=scores[-1])
    return planted.trial(method, number, scores, status="stopped", stop=stop, **changes)


def audited(planted, trial, scores, **changes):
    """The audit of a planted trial, with one score a rung; completed."""
    run_on = planted.trial(trial.method, trial.number, scores)  # its rungs, written over the trial's record
    planted.folder.write_record(trial)
    told = {"rungs": run_on.rungs, "status": "completed"} | changes
    record = Record.model_validate({**dict(audit_of(trial)), **told})
    planted.folder.write_record(record)
    return record


def plan_of(planted, audits: int) -> Plan:
    text = SWEEP.replace("trials_per_method: 4", f"trials_per_method: 4, audit: {audits}")
    planted.sweep(text)
    return Plan(Sweep.from_yaml(text), planted.folder, "0f1e2d3c", list(RUNGS))


def test_only_stopped_trials_are_drawn_and_a_larger_draw_holds_the_smaller(bare):
    trials = [stopped(bare, "lora", number, [20]) for number in range(9)]
    trials += [bare.trial("lora", 9, [1, 2, 3]), bare.trial("lora", 10, [1], status="failed")]
    draws = [drawn(trials, count) for count in range(12)]
    assert [len(draw) for draw in draws] == [*range(10), 9, 9]
    assert all(draw == draws[9][: len(draw)] for draw in draws)
    assert drawn(reversed(trials), 4) == draws[4]


def test_each_stopped_trial_is_as_likely_to_be_drawn_as_another(bare):
    trials = [stopped(bare, "lora", number, [20]) for number in range(6)]
    counts = Counter(
        trial.number
        for seed in range(600)
        for trial in drawn([t.model_copy(update={"seed": derived_seed(seed, t.id)}) for t in trials], 2)
    )
    assert stats.chisquare([counts[number] for number in range(6)]).pvalue > 0.01  # the seeds are fixed


def test_checkpoints_are_kept_of_those_that_would_be_drawn_by_then(bare):
    for number in range(8):
        bare.trial("lora", number, [20], status="running", ended=None, seed=1000 + number)
    store = TrialStore(bare.folder, audits=3)
    for record in store.records.values():
        write_text(bare.folder.checkpoints(record) / "weights", record.id)
    for number in (5, 0, 7, 2, 1, 6, 3, 4):
        report = RungReport(rung=1, examples=300, score=10.0, status="running")
        store.report(f"lora/{number:04d}", report, Stop(rung=1, value=10, cut_off=20))
        running = {r.id for r in store.search("lora") if r.status == "running"}
        wanted = {r.id for r in drawn(store.search("lora"), 3)}
        assert {file.read_text() for file in bare.root.rglob("weights")} == running | wanted
    assert len(wanted) == 3


def test_each_method_has_its_audits_and_they_are_the_same_trials_under_another_name(searched):
    plan, store = plan_of(searched, audits=2), TrialStore(searched.folder)
    final.enter(plan, store)
    audits = {r.id: r for r in final.runs_left(plan, store) if r.phase == "audit"}
    # one trial of each method was stopped; the third is a default, as a folder of old may have it
    assert set(audits) == {"full/audit-0002", "lora/audit-0002", "prompt_tuning/audit-0000"}
    run_on, trial = audits["lora/audit-0002"], store.records["lora/0002"]
    assert (run_on.of_trial, run_on.split, run_on.status) == ("lora/0002", "validation", "running")
    assert (run_on.hyperparameters, run_on.seed, run_on.rungs) == (trial.hyperparameters, trial.seed, [])
    told, before = plan.assignment(run_on), plan.assignment(trial.model_copy(update={"rungs": []}))
    assert told == before.model_copy(update={"trial": run_on.id})


def test_an_audit_that_failed_is_tried_again_and_one_that_diverged_is_not(searched):
    plan, store = plan_of(searched, audits=1), TrialStore(searched.folder)
    for number, status in ((("full", 2), "failed"), (("lora", 2), "diverged")):
        trial = store.records[f"{number[0]}/{number[1]:04d}"]
        audited(searched, trial, [20], status=status)
    store = TrialStore(searched.folder)
    final.enter(plan, store)
    assert store.records["full/audit-0002"].status == "running"
    assert store.records["lora/audit-0002"].status == "diverged"


def test_wrongly_stopped_are_those_that_come_to_more_than_the_winner(bare):
    bare.trial("lora", 0, [20, 25, 30])
    ends = [29.9, 30.1, 45.0, None, 30.0]
    for number, end in enumerate(ends, start=1):
        audited(bare, stopped(bare, "lora", number, [20 - number]), [20 - number, 22, end])
    audited(bare, stopped(bare, "lora", 6, [1]), [1, None], status="diverged")
    audited(bare, stopped(bare, "lora", 7, [1]), [1, 99], status="failed")
    audited(bare, stopped(bare, "lora", 8, [1]), [1, 99], status="running")
    stopped(bare, "lora", 9, [1])
    found = search_statistics(load_results(bare.root), "lora").audit
    assert found == Audit(stopped=9, audited=6, wrongly_stopped=2, best=45.0)


def test_audits_count_neither_for_the_winner_nor_for_the_search(searched):
    before = load_results(searched.root)
    store = TrialStore(searched.folder)
    audited(searched, store.records["lora/0002"], [20, 24, 99.0])
    after = load_results(searched.root)
    assert winner(after.records) == winner(before.records)
    assert winner(after.search("lora")).id == "lora/0001"
    assert after.search_device_seconds == before.search_device_seconds
    assert after.trials["phase"].value_counts().to_dict() == {"search": 12, "audit": 1}
    assert after.trials.set_index("id").loc["lora/audit-0002", "score"] == 99


def test_what_an_audit_takes_over_from_its_trial_is_not_spent_twice(bare):
    """A planted rung takes 11 s, a trial half a second to begin."""
    trial = stopped(bare, "lora", 1, [20.0])
    audited(bare, trial, [20.0, 24.0, 30.0])
    assert tables.device_seconds(load_results(bare.root)).audit == 2 * 11
    audited(bare, trial, [19.0, 24.0, 30.0])  # anew: not what the trial had scored, on another machine
    assert tables.device_seconds(load_results(bare.root)).audit == 3 * 11 + 0.5


def test_with_audited_trials_the_rungs_correlation_is_of_the_worse_ones_too(bare):
    curves = [[10, 15, 20], [11, 16, 22], [5, 9, 14], [4, 6, 15]]
    for number, scores in enumerate(curves[:2]):
        bare.trial("lora", number, scores)
    for number, scores in enumerate(curves[2:], start=2):
        audited(bare, stopped(bare, "lora", number, scores[:1]), scores)
    first_last = search_statistics(load_results(bare.root), "lora").rungs[1]
    expected = stats.kendalltau([10, 11, 5, 4], [20, 22, 14, 15]).statistic
    assert (first_last.trials, first_last.kendall) == (4, pytest.approx(expected))


@pytest.mark.parametrize(("count", "of"), [(0, 5), (2, 5), (5, 5), (1, 40)])
def test_the_interval_of_a_share_is_clopper_and_pearsons(count, of):
    low = stats.beta.ppf(0.025, count, of - count + 1) if count else 0
    high = stats.beta.ppf(0.975, count + 1, of - count) if count < of else 1
    assert share_interval(count, of) == pytest.approx((low, high))


def test_of_nothing_no_share_is_known():
    assert all(map(math.isnan, share_interval(0, 0)))


def test_the_report_says_what_the_audit_found_and_nothing_where_there_was_none(searched):
    results = load_results(searched.root)
    assert audit(results, [search_statistics(results, method) for method in results.methods]) == []
    store = TrialStore(searched.folder)
    audited(searched, store.records["lora/0002"], [20, 24, 40.0])
    audited(searched, store.records["full/0002"], [20, 24, 32.0])
    results = load_results(searched.root)
    sentence, table, _ = audit(results, [search_statistics(results, method) for method in results.methods])
    assert sentence.startswith(
        "**Of 2 stopped trials that were run to the end, 1 would have beaten the winner"
    )
    assert "1 to 99 % of such stops" in sentence
    row = next(line for line in table.splitlines() if "lora" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["`lora`", "1 of 1 stopped", "1", "3 to 100 %", "40.00", "34.50"]


@pytest.mark.ray
@pytest.mark.timeout(300)
@pytest.mark.slow
def test_a_sweep_audits_goes_on_and_audits_more(tmp_path, cluster):
    """Replayed curves never cross, so that no stopped trial would have won."""

    def sweep_with(audits: int):
        search = {"trials_per_method": 8, "sampler": "random", "audit": audits}
        changes = {"methods": {"full": {}}, "search": search, "final__seeds": 1}
        return run(sweep(task, **changes), tmp_path / "run", address=cluster, trainable=Replay)

    task = plant_task(tmp_path)
    results = sweep_with(1)
    (first,) = results.audits("full")
    trial = next(r for r in results.records if r.id == first.of_trial)
    assert trial.status == "stopped"
    assert first.rungs[: len(trial.rungs)] == trial.rungs
    assert [rung.score for rung in first.rungs] == [
        curve("full", trial.hyperparameters, examples) for examples in REPLAYED
    ]
    worked = [step["rung"] for step in steps(task) if step["trial"] == first.id]
    assert worked == list(range(len(trial.rungs), 3))  # from the checkpoint that was kept for it
    assert not results.folder.checkpoints(first).exists()

    count = sum(record.status == "stopped" for record in results.search("full"))
    assert count >= 3
    results = sweep_with(3)
    audits = results.audits("full")
    assert first in audits
    assert len(audits) == 3
    for record in audits:
        if record != first:  # of these no checkpoint was kept: anew, and the same
            assert [step["rung"] for step in steps(task) if step["trial"] == record.id] == [0, 1, 2]
        assert record.rungs[-1].score == curve("full", record.hyperparameters, REPLAYED[-1])
    assert search_statistics(results, "full").audit.wrongly_stopped == 0
    study = optuna.load_study(study_name="replayed/full", storage=journal(tmp_path / "run/study.log"))
    assert len(study.trials) == 8
    assert (
        "Of 3 stopped trials that were run to the end, none"
        in (tmp_path / "run/report/report.md").read_text()
    )
