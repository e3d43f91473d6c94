"""Records, studies and clocks that were tampered with: nothing that was done is done again without need."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import optuna
import pytest

from search.records import record as records
from search.records.repair import repair, sound_records
from search.records.results import load_results
from search.records.trial_store import TrialStore
from search.report.setup import setup
from search.studies.study import rebuild, show
from search.verdict import verdict
from tests.search.driven import NARROW, Driven
from tests.search.journal import journal
from tests.search.replay import RUNGS, plant_task, sweep
from trainables.rung_report import RungReport

pytestmark = pytest.mark.faults

DAMAGES = {
    "truncated": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "zeroed": lambda content: bytes(len(content)),
    "another format": lambda content: content.replace(b'"format": 2', b'"format": 0'),
    "no JSON": lambda content: b"<html>" + content,
}


@pytest.fixture
def told(bare) -> TrialStore:
    """A trial that has ended after three rungs, and one that has told two."""
    bare.trial("full", 0, [], status="running", ended=None)
    bare.trial("full", 1, [], status="running", ended=None)
    store = TrialStore(bare.folder)
    for trial, ends in (("full/0000", "completed"), ("full/0001", "running")):
        for rung, status in enumerate(("running", "running", ends)[: 3 if ends == "completed" else 2]):
            store.report(trial, RungReport(rung=rung, examples=RUNGS[rung], score=20.0 + rung, status=status))
    return store


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_set_aside_for_the_version_before_it(told, damage):
    before = told.records["full/0001"]
    file = told.folder.record_file(before)
    damaged = DAMAGES[damage](file.read_bytes())
    file.write_bytes(damaged)
    (line,) = repair(told.folder)
    assert line == (
        f"The record {file} was damaged and is kept as 0001.json.damaged: its trial goes on from rung 1."
    )
    assert file.with_name("0001.json.damaged").read_bytes() == damaged
    remark = "Its record was damaged, kept as 0001.json.damaged: gone on from rung 1."
    after = TrialStore(told.folder).records
    assert after["full/0001"] == before.model_copy(update={"rungs": before.rungs[:1], "remarks": [remark]})
    assert after["full/0000"] == told.records["full/0000"]
    assert repair(told.folder) == []


def test_a_folder_in_the_place_of_a_record_is_set_aside_too(told):
    file = told.folder.record_file(told.records["full/0001"])
    file.unlink()
    (file / "deep").mkdir(parents=True)
    assert len(repair(told.folder)) == 1
    assert file.is_file()
    assert file.with_name("0001.json.damaged").is_dir()


def test_of_a_trial_that_had_ended_only_its_last_rung_is_asked_again(told):
    before = told.records["full/0000"]
    told.folder.record_file(before).write_bytes(b"")
    repair(told.folder)
    store = TrialStore(told.folder)
    assert (store.records["full/0000"].status, store.records["full/0000"].rungs) == (
        "running",
        before.rungs[:2],
    )
    report = RungReport(rung=2, examples=RUNGS[2], score=22.0, status="completed")
    after = store.report("full/0000", report)
    assert after.model_copy(update={"remarks": [], "ended": before.ended}) == before


def test_a_resume_shows_what_can_be_read(told):
    told.folder.record_file(told.records["full/0001"]).write_bytes(b"")
    assert [record.id for record in sound_records(told.folder)] == ["full/0000"]


@pytest.fixture
def driven(tmp_path) -> Driven:
    """One trial of each method that has completed, one that has been at two rungs, one that begins."""
    settings = sweep(plant_task(tmp_path / "task"), methods=NARROW, search__trials_per_method=3)
    driven = Driven(tmp_path / "run", settings)
    for _ in range(6):
        driven.begin()
    for trial in ("full/0000", "lora/0000"):
        for status in ("running", "running", "completed"):
            driven.report(trial, status)
    for trial in ("full/0001", "lora/0001"):
        driven.report(trial)
        driven.report(trial)
    return driven


def file_of(driven: Driven, trial: str) -> Path:
    return driven.plan.folder.root / f"trials/{trial}.json"


@pytest.mark.parametrize(("trial", "how"), [("full/0000", "lost"), ("lora/0001", "damaged")])
def test_a_trial_of_which_nothing_is_left_is_proposed_and_run_again(driven, trial, how):
    before = dict(driven.store.records)
    file = file_of(driven, trial)
    driven.plan.folder.previous_version(file).unlink(missing_ok=True)
    if how == "lost":
        file.unlink()
        assert repair(driven.plan.folder) == []
    else:
        file.write_bytes(b"{")
        (told,) = repair(driven.plan.folder)
        assert told.endswith("is kept as 0001.json.damaged: its trial is run again.")
    driven.restart()
    after = driven.store.records[trial]
    assert (after.status, after.rungs) == ("running", [])
    assert after.remarks == ["Its record was lost: proposed and run again."]
    # by random search a proposal depends on its number alone
    assert (after.hyperparameters, after.seed, after.origin) == (
        before[trial].hyperparameters,
        before[trial].seed,
        before[trial].origin,
    )
    assert {name: r for name, r in driven.store.records.items() if name != trial} == {
        name: r for name, r in before.items() if name != trial
    }
    waiting = {record.id for record in driven.search._waiting}
    assert waiting == {"full/0001", "full/0002", "lora/0001", "lora/0002", trial}


SPOILT = {
    "no journal": lambda content: b"no journal at all" * 1000,
    "half a line": lambda content: content[:-20],
    "a line too much": lambda content: content + b"{}\n",
    "deleted": None,
}


@pytest.mark.parametrize("damage", SPOILT)
def test_the_studies_are_rebuilt_whatever_became_of_their_file(driven, damage):
    file, spoil = driven.plan.folder.study_file, SPOILT[damage]
    show(driven.studies)
    before = trials_in(file)
    if spoil is None:
        file.unlink()
    else:
        file.write_bytes(spoil(file.read_bytes()))
    rebuild(driven.plan.sweep, TrialStore(driven.plan.folder), RUNGS)
    assert trials_in(file) == before


@pytest.mark.timeout(20)  # Optuna itself takes a lock for abandoned after 30 s
def test_of_a_driver_that_died_while_it_wrote_whole_lines_are_read_and_its_lock_is_not_waited_for(driven):
    file = driven.plan.folder.study_file
    show(driven.studies)
    lock = file.with_name("study.log.lock")
    assert not lock.exists()
    before, content = trials_in(file), file.read_bytes()
    lock.touch()
    file.write_bytes(content + content.splitlines()[-1][:50])
    assert trials_in(file) == before
    rebuild(driven.plan.sweep, TrialStore(driven.plan.folder), RUNGS)
    assert trials_in(file) == before
    assert not lock.exists()


def trials_in(file: Path) -> dict[str, list[tuple]]:
    storage = journal(file)
    return {
        name: [(t.number, t.state, t.params, t.intermediate_values, t.values) for t in study.trials]
        for name in optuna.get_all_study_names(storage)
        for study in [optuna.load_study(study_name=name, storage=storage)]
    }


class Backwards(datetime):
    """A clock that goes back an hour at each look."""

    time = datetime(2026, 11, 23, tzinfo=UTC)

    @classmethod
    def now(cls, tz=None):
        cls.time -= timedelta(hours=1)
        return cls.time


def test_a_clock_that_goes_backwards_spoils_nothing(told, monkeypatch, finished):
    monkeypatch.setattr(records, "datetime", Backwards)
    report = RungReport(rung=2, examples=RUNGS[2], score=22.0, status="completed")
    ended = told.report("full/0001", report)
    assert ended.ended < ended.started
    assert TrialStore(told.folder).records["full/0001"] == ended
    before = told_by(finished.root)
    for record in load_results(finished.root).records:
        finished.folder.write_record(record.model_copy(update={"ended": "2020-01-01T00:00:00+00:00"}))
    assert told_by(finished.root) == before


def told_by(root: Path) -> tuple[object, ...]:
    """What is computed from the records of a run folder."""
    results = load_results(root)
    rows = results.trials.drop(columns="ended").to_dict("records")
    return str(rows), verdict(results).summary, setup(results), results.search_device_seconds
