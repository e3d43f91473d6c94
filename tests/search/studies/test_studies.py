"""The studies, and the search that asks them, driven as Tune drives them but without Ray."""

from pathlib import Path
from random import Random

import optuna
import pytest
from optuna.trial import TrialState
from ray import cloudpickle

from search import samplers
from search.engine.searcher import MethodSearch
from search.studies.study import show
from tests.search.driven import FIXED, LISTED, NARROW, WEIGHED, Driven
from tests.search.journal import journal
from tests.search.replay import RUNGS, sweep
from trainables.errors import InputError
from trainables.status import Status


@pytest.fixture
def driven(tmp_path: Path) -> Driven:
    return Driven(tmp_path / "run", sweep(tmp_path, methods=NARROW, search__trials_per_method=6))


@pytest.mark.parametrize("sampler", samplers.available())
def test_the_first_trial_of_each_method_is_its_untuned_default(tmp_path, sampler):
    driven = Driven(tmp_path / "run", sweep(tmp_path, methods=LISTED, search__sampler=sampler))
    for method in ("full", "lora"):
        record = driven.begin()
        assert (record.id, record.origin) == (f"{method}/0000", "default")
        space = driven.plan.sweep.spaces()[method]
        assert record.hyperparameters == space.complete(space.default)
    assert driven.begin().origin == "sampled"


def test_what_a_variant_fixes_is_in_every_trial(tmp_path):
    methods = {"attention": {"base": "lora", "fix": {"targets": "attention", "rank": 16}}}
    driven = Driven(tmp_path / "run", sweep(tmp_path, methods=methods))
    for _ in range(4):
        hyperparameters = driven.begin().hyperparameters
        assert (hyperparameters["targets"], hyperparameters["rank"]) == ("attention", 16)
    assert "rank" not in driven.seen("attention")[0]["params"]


@pytest.mark.parametrize("status", ["running", "completed"])
def test_a_record_with_hyperparameters_of_no_trial_is_refused_in_words(driven, tmp_path, status):
    trial = driven.begin()
    changed = {"status": Status(status), "hyperparameters": trial.hyperparameters | {"learning_rate": 5.0}}
    driven.plan.folder.write_record(trial.model_copy(update=changed))
    with pytest.raises(InputError, match=r"0000.json is of no trial of this sweep: learning_rate must lie"):
        Driven(tmp_path / "run", driven.plan.sweep)


def test_methods_have_equally_many_trials_and_advance_together(driven):
    begun = []
    while record := driven.begin():
        begun.append(record.id)
    assert begun == [f"{method}/{number:04d}" for number in range(6) for method in ("full", "lora")]
    assert driven.begin() is None


def test_a_method_that_is_behind_is_first(tmp_path):
    driven = Driven(tmp_path / "run", sweep(tmp_path, methods=NARROW, search__trials_per_method=2))
    while record := driven.begin():
        driven.end(record.id, "completed")
    methods = {**NARROW, "prompt_tuning": {}}
    later = Driven(tmp_path / "run", sweep(tmp_path, methods=methods, search__trials_per_method=3))
    begun = [later.begin().id for _ in range(5)]
    assert begun[:2] == ["prompt_tuning/0000", "prompt_tuning/0001"]
    assert sorted(begun[2:]) == ["full/0002", "lora/0002", "prompt_tuning/0002"]


def test_unfinished_trials_are_first_and_keep_their_rungs(driven):
    first, second = driven.begin().id, driven.begin().id
    driven.report(second)
    driven.restart()
    tasks = [driven.search.suggest("x")["assignment"] for _ in range(3)]
    assert [task["trial"] for task in tasks] == [first, second, "full/0001"]
    assert [task["rungs_told"] for task in tasks] == [0, 1, 0]


def test_every_trial_has_its_own_seed(driven):
    records = [driven.begin() for _ in range(12)]
    assert len({record.seed for record in records}) == 12


def _play(driven: Driven, random: Random, *, restarts: float) -> None:
    """Three trials at a time, ended in all ways, in an order that `random` decides; `restarts` is apart."""
    restarting, live = Random(restarts), []
    while True:
        while len(live) < 3 and (record := driven.begin()):
            live.append(record.id)
        if not live:
            return
        trial = random.choice(sorted(live))
        live.remove(trial)
        if random.random() < 0.5 and len(driven.store.records[trial].rungs) < 2:
            driven.report(trial)
            live.append(trial)
        else:
            ends = ["stopped", "diverged", "out_of_memory", "failed", "has no score"]
            driven.end(trial, random.choice(["completed", "completed", *ends]))
        if restarting.random() < restarts:
            driven.restart()
            live = [driven.begin().id for _ in live]


@pytest.mark.parametrize("search", [*({"sampler": name} for name in samplers.available()), WEIGHED])
def test_a_search_rebuilt_again_and_again_is_the_unbroken_one(tmp_path, search):
    in_memory = {**search, "trials_per_method": 7, "study_storage": "sqlite://"}
    settings = sweep(tmp_path, methods=LISTED if "grid" in search.values() else NARROW, search=in_memory)
    unbroken, broken = Driven(tmp_path / "unbroken", settings), Driven(tmp_path / "broken", settings)
    _play(unbroken, Random(1), restarts=0)
    _play(broken, Random(1), restarts=0.15)
    broken.restart()
    for method in ("full", "lora"):
        assert broken.seen(method) == unbroken.seen(method)
        params = [tuple(trial["params"].items()) for trial in broken.seen(method)]
        assert len(set(params)) == 7


def test_a_rebuilt_study_has_the_open_trials_as_they_were(driven):
    for _ in range(3):
        driven.begin()
    driven.report("full/0000")
    driven.report("full/0000")
    before = {method: driven.seen(method) for method in ("full", "lora")}
    driven.restart()
    assert {method: driven.seen(method) for method in ("full", "lora")} == before
    assert [trial["state"] for trial in before["full"]] == [TrialState.RUNNING] * 2
    for _ in range(3):
        driven.begin()
    assert driven.end("full/0000", "completed").status == "completed"
    assert driven.seen("full")[0]["state"] == TrialState.COMPLETE


@pytest.mark.parametrize("rebuilt", [False, True])
def test_each_end_is_told_truthfully(tmp_path, rebuilt):
    settings = sweep(tmp_path, methods={"full": NARROW["full"]}, search__trials_per_method=7)
    driven = Driven(tmp_path / "run", settings)
    ends = ["completed", "stopped", "diverged", "out_of_memory", "failed", "has no score"]
    trials = [driven.begin().id for _ in range(7)]
    driven.report(trials[2])
    driven.report(trials[3])
    for trial, how in zip(trials, ends, strict=False):
        driven.end(trial, how)
    if rebuilt:
        driven.restart()
    scores = {r.id: [rung.score for rung in r.rungs] for r in driven.store.search("full")}
    completed, stopped, diverged, too_large, failed, unscored, running = driven.seen("full")
    assert (completed["state"], completed["values"]) == (TrialState.COMPLETE, [scores[trials[0]][-1]])
    assert completed["intermediate_values"] == dict(zip(RUNGS, scores[trials[0]], strict=True))
    for pruned, trial in ((stopped, trials[1]), (diverged, trials[2]), (too_large, trials[3])):
        assert (pruned["state"], pruned["values"]) == (TrialState.PRUNED, scores[trial][:1])
        assert pruned["intermediate_values"] == {RUNGS[0]: scores[trial][0]}
    assert (failed["state"], failed["values"]) == (TrialState.FAIL, None)
    assert (unscored["state"], unscored["values"]) == (TrialState.FAIL, None)
    assert running["state"] == TrialState.RUNNING
    violated = {trial["trial"]: trial["constraints"] for trial in driven.seen("full") if trial["constraints"]}
    assert violated == {trials[3]: {"out_of_memory": 1.0}}


@pytest.mark.parametrize(("end", "large"), [("out_of_memory", range(3)), ("failed", range(8, 17))])
def test_what_ran_out_of_memory_is_learned_from_and_what_failed_is_not(tmp_path, end, large):
    """Trials on large batches begin best and do not fit; rebuilt, the search keeps away from them."""
    fixed = {"full": {"fix": {**FIXED, "learning_rate": 1e-4}}}
    settings = sweep(tmp_path, methods=fixed, search={"sampler": "tpe", "trials_per_method": 60})
    driven = Driven(tmp_path / "run", settings)
    sizes = []
    for _ in range(16):
        record = driven.begin()
        sizes.append(record.hyperparameters["batch_size"])
        driven.report(record.id, score=float(sizes[-1]))
        if sizes[-1] >= 16:
            driven.end(record.id, end)
        else:
            driven.report(record.id, "completed", score=float(sizes[-1]))
    assert sum(size >= 16 for size in sizes) >= 2
    driven.restart()
    proposed = []
    for _ in range(16):
        record = driven.begin()
        proposed.append(record.hyperparameters["batch_size"])
        driven.end(record.id, "failed")
    assert sum(size >= 16 for size in proposed) in large


def test_a_rung_told_twice_is_in_the_study_once(driven):
    trial = driven.begin().id
    record = driven.report(trial)
    driven.studies["full"].tell(record)
    assert list(driven.seen("full")[0]["intermediate_values"]) == RUNGS[:1]


def test_the_journal_can_be_read_while_the_sweep_runs(driven):
    driven.end(driven.begin().id, "completed")
    driven.report(driven.begin().id)
    show(driven.studies)
    storage = journal(driven.plan.folder.study_file)
    assert optuna.get_all_study_names(storage) == ["replayed/full", "replayed/lora"]
    study = optuna.load_study(study_name="replayed/full", storage=storage)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE]
    assert study.best_value == driven.store.records["full/0000"].score
    running = optuna.load_study(study_name="replayed/lora", storage=storage).trials[0]
    assert (running.state, len(running.intermediate_values)) == (TrialState.RUNNING, 1)


def test_studies_in_a_storage_of_ones_own_are_rebuilt_there_and_others_left_alone(tmp_path):
    url = f"sqlite:///{tmp_path}/mine.db"
    optuna.create_study(storage=url, study_name="somebody else's")
    driven = Driven(tmp_path / "run", sweep(tmp_path, search__study_storage=url))
    driven.end(driven.begin().id, "completed")
    driven.restart()
    assert sorted(optuna.get_all_study_names(url)) == ["replayed/full", "replayed/lora", "somebody else's"]
    assert len(optuna.load_study(study_name="replayed/full", storage=url).trials) == 1
    assert not driven.plan.folder.study_file.exists()


def test_a_storage_may_name_a_variable_of_the_environment_which_no_message_shows(tmp_path, monkeypatch):
    monkeypatch.setenv("STUDY_FILE", f"{tmp_path}/secret.db")
    Driven(tmp_path / "run", sweep(tmp_path, search__study_storage="sqlite:///${STUDY_FILE}"))
    assert (tmp_path / "secret.db").exists()
    monkeypatch.setenv("STUDY_PASSWORD", "planted")
    url = "postgresql+nosuchdriver://me:${STUDY_PASSWORD}@127.0.0.1:1/studies"
    with pytest.raises(InputError, match=r"STUDY_PASSWORD\}@127") as told:
        Driven(tmp_path / "run", sweep(tmp_path, search__study_storage=url))
    assert "planted" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "nosuchdialect://host/studies",
        "nosuchdriver+sqlite://",
        "sqlite:////no/such/folder/study.db",
        f"sqlite:///{__file__}",
        "redis://nowhere",
    ],
)
def test_a_storage_that_cannot_be_opened_is_an_input_error(tmp_path, url):
    with pytest.raises(InputError, match=r"search.study_storage: '.*' cannot be opened"):
        Driven(tmp_path / "run", sweep(tmp_path, search__study_storage=url))


def test_the_search_can_be_pickled_as_tune_does(driven):
    driven.begin()
    assert isinstance(cloudpickle.loads(cloudpickle.dumps(driven.search)), MethodSearch)
