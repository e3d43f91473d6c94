"""What a reader of the database sees of studies that are kept in memory."""

from collections import Counter
from random import Random

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers import TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from search.mirror import Mirror

SPACE = {"rate": FloatDistribution(1e-3, 1.0, log=True), "word": CategoricalDistribution(("a", "b"))}


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/study.db"


@pytest.fixture
def mirror(url) -> Mirror:
    return Mirror(optuna.storages.get_storage(url), seconds=60)


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
def test_it_shows_what_a_database_of_its_own_would_hold(mirror, url, seed):
    """The oracle: the same study, asked and told in SQLite itself."""
    random = Random(seed)
    shown = optuna.create_study(
        storage=mirror, study_name="lora", direction="maximize", sampler=TPESampler(seed=seed)
    )
    plain = optuna.create_study(study_name="lora", direction="maximize", sampler=TPESampler(seed=seed))
    play(shown, Random(seed), after_each=lambda: mirror.show() if random.random() < 0.4 else None)
    play(plain, Random(seed), after_each=lambda: None)
    mirror.show()
    assert seen(url) == seen(mirror) == seen(plain._storage)
    assert {trial["state"] for trial in seen(url)} > {TrialState.RUNNING, TrialState.COMPLETE}


def test_a_change_waits_for_others_and_not_longer(url):
    now = [100.0]
    mirror = Mirror(optuna.storages.get_storage(url), seconds=2, clock=lambda: now[0])
    study = optuna.create_study(storage=mirror, study_name="lora")
    told = []
    for value in range(5):
        study.tell(study.ask(SPACE), value)
        mirror.show_if_due()
        told.append(len(seen(url)))
        now[0] += 1
    assert told == [0, 0, 3, 3, 3]
    now[0] += 100
    mirror.show_if_due()
    assert seen(url) == seen(mirror)


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


def test_a_study_of_that_name_is_replaced_and_others_stay(mirror, url):
    for name in ("lora", "mine"):
        optuna.create_study(storage=url, study_name=name).add_trial(optuna.trial.create_trial(value=1.0))
    optuna.create_study(storage=mirror, study_name="lora")
    assert seen(url) == []
    assert len(optuna.load_study(study_name="mine", storage=url).trials) == 1
