"""What a reader of the journal or the database sees of studies that are kept in memory."""

from collections import Counter
from collections.abc import Callable
from random import Random

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import TrialState

from search.studies.mirror import Mirror
from search.studies.paused import PAUSED
from tests.search.journal import journal

SPACE = {"rate": FloatDistribution(1e-3, 1.0, log=True), "word": CategoricalDistribution(("a", "b"))}


Opened = Callable[[], BaseStorage]


@pytest.fixture(params=["journal", "database"])
def opened(tmp_path, request) -> Opened:
    """Opens what is shown, as another process would."""
    if request.param == "journal":
        return lambda: journal(tmp_path / "study.log")
    return lambda: optuna.storages.get_storage(f"sqlite:///{tmp_path}/study.db")


@pytest.fixture
def mirror(opened) -> Mirror:
    return Mirror(opened(), seconds=60)


def seen(storage) -> list[dict]:
    study = optuna.load_study(study_name="lora", storage=storage)
    names = ("number", "state", "params", "values", "intermediate_values", "user_attrs", "constraints")
    return [{name: getattr(trial, name) for name in names} for trial in study.trials]


def play(study: optuna.Study, random: Random, *, after_each) -> None:
    """Trials in all states, up to three at a time, some of them asked for by name."""
    live: list[optuna.Trial] = []
    for number in range(25):
        if number % 5 == 0:
            study.enqueue_trial({"rate": 0.5, "word": "b"})
        live.append(study.ask(SPACE))
        live[-1].set_user_attr("trial", f"lora/{number}")
        after_each()
        if len(live) == 3:
            trial = live.pop(random.randrange(3))
            trial.report(random.random(), step=1)
            after_each()
            state = random.choice([TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL])
            if state is TrialState.PRUNED:
                trial.set_constraint("out_of_memory", 1.0)
            study.tell(trial, random.random() if state is TrialState.COMPLETE else None, state)
        after_each()


@pytest.mark.parametrize("seed", range(3))
def test_it_shows_what_a_database_of_its_own_would_hold(mirror, opened, seed):
    """The oracle: the same study, asked and told without a mirror."""
    random = Random(seed)
    shown = optuna.create_study(
        storage=mirror, study_name="lora", direction="maximize", sampler=TPESampler(seed=seed)
    )
    plain = optuna.create_study(study_name="lora", direction="maximize", sampler=TPESampler(seed=seed))
    play(shown, Random(seed), after_each=lambda: mirror.show() if random.random() < 0.4 else None)
    play(plain, Random(seed), after_each=lambda: None)
    mirror.show()
    assert seen(opened()) == seen(mirror) == seen(plain._storage)
    assert {trial["state"] for trial in seen(opened())} > {TrialState.RUNNING, TrialState.COMPLETE}


def test_a_change_waits_for_others_and_not_longer(opened):
    now = [100.0]
    mirror = Mirror(opened(), seconds=2, clock=lambda: now[0])
    study = optuna.create_study(storage=mirror, study_name="lora")
    told = []
    for value in range(5):
        study.tell(study.ask(SPACE), value)
        mirror.show_if_due()
        told.append(len(seen(opened())))
        now[0] += 1
    assert told == [0, 0, 3, 3, 3]
    now[0] += 100
    mirror.show_if_due()
    assert seen(opened()) == seen(mirror)


class Counting(InMemoryStorage):
    """Counts what is written trial by trial."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = Counter()

    def create_new_trial(self, study_id, template_trial=None):
        self.calls["trial"] += 1
        return super().create_new_trial(study_id, template_trial)

    def set_trial_param(self, *args):
        self.calls["part"] += 1
        super().set_trial_param(*args)

    def set_trial_state_values(self, *args):
        self.calls["part"] += 1
        return super().set_trial_state_values(*args)


def test_a_trial_that_has_ended_is_written_at_once_and_as_a_whole():
    database = Counting()
    mirror = Mirror(database, seconds=60)
    study = optuna.create_study(storage=mirror, study_name="lora")
    for value in range(20):
        study.tell(study.ask(SPACE), value)
    assert database.calls == {}
    mirror.show()
    mirror.show()
    assert database.calls == {"trial": 20}
    assert [trial["values"] for trial in seen(database)] == [[float(value)] for value in range(20)]


def test_a_study_of_that_name_is_replaced_and_others_stay(mirror, opened):
    for name in ("lora", "mine"):
        optuna.create_study(storage=opened(), study_name=name).add_trial(optuna.trial.create_trial(value=1.0))
    optuna.create_study(storage=mirror, study_name="lora")
    assert seen(opened()) == []
    assert len(optuna.load_study(study_name="mine", storage=opened()).trials) == 1


def test_a_study_that_an_onlooker_deletes_is_not_shown_any_more_and_the_search_goes_on(mirror, opened):
    deleted, kept = (optuna.create_study(storage=mirror, study_name=name) for name in ("deleted", "lora"))
    running = deleted.ask(SPACE)
    mirror.show()
    optuna.delete_study(study_name="deleted", storage=opened())
    deleted.tell(running, 1.0)
    deleted.tell(deleted.ask(SPACE), 2.0)
    kept.tell(kept.ask(SPACE), 3.0)
    mirror.show()
    assert [trial.value for trial in deleted.trials] == [1.0, 2.0]
    assert optuna.get_all_study_names(opened()) == ["lora"]
    assert [trial["values"] for trial in seen(opened())] == [[3.0]]


def test_an_attribute_that_changes_is_shown_as_it_is(mirror, opened):
    study = optuna.create_study(storage=mirror, study_name="lora", direction="maximize")
    trial = study.ask(SPACE)
    for value in ([1.0], None, [2.0]):
        trial.set_user_attr(PAUSED, value)
        mirror.show()
        (shown,) = seen(opened())
        assert (shown["user_attrs"][PAUSED], shown["state"]) == (value, TrialState.RUNNING)
