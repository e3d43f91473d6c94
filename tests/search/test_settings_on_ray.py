"""Every key of a sweep's settings in small sweeps on Ray: what it alone causes there.

Keys that do not touch one another share a sweep: on one core each takes some seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection

import spaces
from search.cluster import SweepFailed
from search.config.resources import Resources
from search.config.settings import CostObjective, Final, MethodChoice, Search
from search.config.sweep import Sweep
from search.engine import search_phase
from search.engine.runner import run
from search.engine.time_limit import TimeLimit
from search.records.events import Event
from search.records.record import Record
from search.records.repair import sound_records
from search.records.results import Results
from search.records.run_folder import RunFolder
from search.records.seeds import derived_seed
from search.samplers import Next, get
from search.samplers.qmc import sobol_point
from search.studies import MethodStudy
from tests.ray_cluster import started
from tests.search.driven import RATES, Driven
from tests.search.replay import ROWS, RUNGS, Replay, curve, plant_task, steps, sweep
from trainables.storage.atomic import write_text

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(240)]

SETTINGS = {"methods": MethodChoice, "search": Search, "final": Final, "resources": Resources}
FULL = spaces.get("full")
SMALL = {
    "methods": {"full": {}},
    "search__trials_per_method": 2,
    "search__sampler": "random",
    "final__seeds": 1,
    "resources__concurrent_trials": 1,
}


@dataclass
class Swept:
    """A sweep of one method that has run."""

    task: Path
    sweep: Sweep
    results: Results
    running: list[int]
    """How many trials had begun and not ended, each time that something was told of one."""

    @property
    def trials(self) -> list[Record]:
        (method,) = self.sweep.methods
        return self.results.search(method)

    @property
    def sampled(self) -> list[dict[str, Any]]:
        """The hyperparameters of all trials but the default."""
        return [trial.hyperparameters for trial in self.trials[1:]]

    @property
    def rungs(self) -> list[int]:
        """Those of the default, which went through all of them."""
        return [rung.examples for rung in self.trials[0].rungs]

    @property
    def steps(self) -> list[dict[str, Any]]:
        return sorted(steps(self.task), key=lambda step: step["began"])

    def limits(self, split: str) -> set[int | None]:
        """How many examples of a split its trials were to score, but for the untrained model."""
        return {step["limit"] for step in self.steps if step["split"] == split}

    def random_points(self) -> list[dict[str, Any]]:
        """What random search proposes after the default."""
        seeds = [derived_seed(self.sweep.seed, "full", "propose", trial.number) for trial in self.trials[1:]]
        studies = [optuna.create_study(sampler=get("random").optuna_sampler(Next(seed))) for seed in seeds]
        return [study.ask(FULL.distributions).params for study in studies]

    def ids(self, phase: str) -> list[str]:
        return [record.id for record in self.results.records if record.phase == phase]


@pytest.fixture(scope="module")
def swept(tmp_path_factory, cluster) -> Callable[..., Swept]:
    """`swept(key=value)`: what comes of a sweep with this key, by its path: `final__seeds`.

    What befalls its trials, and where else than on the cluster of all tests it runs, is named too.
    """

    def run_one(
        *, failures: dict[str, tuple[str, int]] | None = None, address: str = cluster, **changes: Any
    ) -> Swept:
        task = plant_task(tmp_path_factory.mktemp("swept"), failures=failures)
        settings, folder, running = sweep(task, **{**SMALL, **changes}), RunFolder(task / "run"), []

        def count(event: Event, record: Record) -> None:
            statuses = [known.status for known in folder.read_records() if known.phase == record.phase]
            running.append(statuses.count("running"))

        results = run(settings, folder.root, address=address, listeners=[count], trainable=Replay)
        return Swept(task, settings, results, running)

    return run_one


def test_there_is_a_test_for_every_key():
    keys = {f"test_{part}_{key}" for part, model in SETTINGS.items() for key in model.model_fields}
    assert keys - globals().keys() == set()


@pytest.fixture(scope="module")
def narrowed(swept) -> Swept:
    rates, decay = {"learning_rate": {"low": 5e-5, "high": 6e-5}}, {"weight_decay": 0.03}
    return swept(methods={"mine": {"base": "full", "space": rates, "fix": decay}})


def test_methods_base(narrowed):
    trial = narrowed.trials[0]
    assert trial.id == "mine/0000"
    assert trial.score == curve("full", trial.hyperparameters, RUNGS[-1])


def test_methods_space(narrowed):
    (point,) = narrowed.sampled
    assert 5e-5 <= point["learning_rate"] <= 6e-5


def test_methods_fix(narrowed):
    assert {trial.hyperparameters["weight_decay"] for trial in narrowed.trials} == {0.03}


@pytest.fixture(scope="module")
def graded(swept) -> Swept:
    """Nine examples in two rungs; each key left out would make others of them."""
    return swept(
        search__max_epochs=1.0,
        search__reduction_factor=2,
        search__first_rung=0.3,
        search__validation_samples=3,
        search__trials_per_method=7,
    )


def test_search_max_epochs(graded):
    assert graded.rungs[-1] == ROWS["train"]


def test_search_reduction_factor(graded):
    assert graded.rungs[-2:] == [4, 9]


def test_search_first_rung(graded):
    assert len(graded.rungs) == 2


def test_search_validation_samples(graded):
    assert graded.limits("validation") == {3}


def test_search_trials_per_method(graded):
    assert len(graded.trials) == 7


def test_search_sampler_is_random_search(graded):
    assert graded.sampled == graded.random_points()


def test_search_sampler(swept):
    """TPE draws as random search does until there are five trials."""
    tpe = swept(search__sampler="tpe", search__trials_per_method=7)
    assert tpe.sampled[:4] == tpe.random_points()[:4]
    assert not any(point in tpe.random_points() for point in tpe.sampled[4:])


def test_search_sampler_is_a_gaussian_process(swept):
    """It proposes what a study proposes that has learned of the records before, the first at random."""
    process = swept(search__sampler="gp", search__trials_per_method=7)

    def after(number: int) -> dict[str, Any]:
        storage = InMemoryStorage()
        study = MethodStudy(process.sweep, "full", FULL, storage=storage, budgets=process.rungs)
        for record in process.trials[:number]:
            study.replay(record)
        return study.propose(number)[0]

    assert [after(number) for number in range(1, 7)] == process.sampled
    assert process.sampled[:3] == process.random_points()[:3]
    assert not any(point in process.random_points() for point in process.sampled[3:])


def test_seed(swept):
    """With equal seeds trials that run one at a time are proposed, stopped and scored alike."""

    def told(seed: int) -> list[tuple[Any, ...]]:
        trials = swept(seed=seed, search__sampler="tpe", search__trials_per_method=9).trials
        return [(trial.hyperparameters, trial.seed, trial.status, trial.score) for trial in trials]

    first, again, other = told(1), told(1), told(2)
    assert {status for *_, status, _ in first} == {"completed", "stopped"}
    assert first == again != other


def test_search_sampler_is_a_quasi_random_sequence(swept):
    qmc = swept(search__sampler="qmc", search__trials_per_method=4)
    seed = derived_seed(qmc.sweep.seed, "full", "qmc")
    assert qmc.sampled == [sobol_point(FULL.distributions, seed, place) for place in range(3)]


def test_search_sampler_is_a_grid(swept):
    methods = {"full": {"space": {"learning_rate": RATES}}}
    grid = swept(search__sampler="grid", search__trials_per_method=16, methods=methods)
    assert sorted(trial.hyperparameters["learning_rate"] for trial in grid.trials) == RATES
    others = [{**trial.hyperparameters, "learning_rate": None} for trial in grid.trials]
    assert others == [{**FULL.default, "learning_rate": None}] * len(RATES)


def test_search_budget(swept):
    budget = {"device_seconds_per_method": 4.0}
    trials = swept(search__trials_per_method=None, search__budget=budget).trials
    spent = [trial.spent_seconds for trial in trials]
    assert sum(spent) >= 4.0 > sum(spent[:-1])


@pytest.fixture(scope="module")
def storage(tmp_path_factory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('storage')}/study.db"


@pytest.fixture(scope="module")
def weighed(swept, storage) -> Swept:
    objectives = ["rougeL", {"cost": "train_seconds"}]
    return swept(search__objectives=objectives, search__study_storage=storage)


def test_search_objectives(weighed):
    assert {trial.status for trial in weighed.trials} <= {"completed", "stopped"}
    report = (weighed.results.folder.report / "report.md").read_text()
    assert "| `full/0000` |" in report.partition("## Trade-off in the search")[2]


def test_search_study_storage(weighed, storage):
    (study,) = optuna.get_all_study_summaries(storage=storage)
    assert (study.study_name, study.n_trials) == ("replayed/full", 2)
    assert study.directions == [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
    assert not weighed.results.folder.study_file.exists()


def test_search_warm_start(swept, tmp_path):
    settings = sweep(plant_task(tmp_path / "other"), methods={"full": {}}, search__trials_per_method=2)
    other = Driven(tmp_path / "other-run", settings)
    write_text(other.plan.folder.sweep_file, settings.to_yaml())
    while trial := other.begin():
        best = other.end(trial.id, "completed")
    warm = swept(search__warm_start=str(other.plan.folder.root), seed=1)
    assert [trial.origin for trial in warm.trials] == ["default", "warm"]
    assert warm.sampled == [best.hyperparameters]


@pytest.fixture(scope="module")
def unscheduled(swept) -> Swept:
    return swept(search__scheduler="none", search__trials_per_method=4, resources__concurrent_trials=2)


def test_search_scheduler(unscheduled):
    assert [trial.status for trial in unscheduled.trials] == ["completed"] * 4
    assert unscheduled.rungs == RUNGS[-1:]


@pytest.fixture(scope="module")
def promoted(swept) -> Swept:
    """Seven trials on one worker: two go on from the first rung, one from the second, and the default."""
    return swept(search__scheduler="promote", search__promote_by="score", search__trials_per_method=7)


def test_search_promote_by(promoted):
    """Every rung is trained once, the first of all trials before the second of any."""
    searched = [step for step in promoted.steps if step["split"] == "validation"]
    rungs = [step["rung"] for step in searched]
    assert rungs == sorted(rungs)
    assert len({(step["trial"], step["rung"]) for step in searched}) == len(searched)
    assert len({step["pid"] for step in searched}) == 1  # a promoted trial goes on in the same worker
    trials = promoted.trials
    ranked = sorted(trials, key=lambda trial: -trial.rungs[0].score)
    best, completed = ranked[:2], [trial for trial in trials if trial.status == "completed"]
    assert [len(trial.rungs) > 1 for trial in ranked[2:]] == [t.origin == "default" for t in ranked[2:]]
    assert all(len(trial.rungs) > 1 for trial in best)
    assert {trial.id for trial in completed} == {best[0].id, "full/0000"}
    stopped = [trial for trial in trials if trial.status == "stopped"]
    assert len(completed) + len(stopped) == 7
    assert all(trial.stop.rank > trial.stop.go_on for trial in stopped)


def test_resources_concurrent_trials(unscheduled):
    assert max(unscheduled.running) == 2


@pytest.fixture(scope="module")
def watched(swept) -> Swept:
    return swept(
        failures={"full/0001": ("has no score", 0), "full/0002": ("hangs", 0)},
        search__trials_per_method=3,
        search__audit=1,
        resources__trial_timeout=5.0,
    )


def test_search_audit(watched):
    assert watched.ids("audit") == ["full/audit-0001"]
    (record,) = watched.results.audits("full")
    assert (record.status, record.rungs[-1].examples) == ("completed", RUNGS[-1])


def test_resources_trial_timeout(watched):
    hung = watched.trials[2]
    assert hung.status == "failed"
    assert hung.error.startswith("Timed out: nothing was told for ")


def test_resources_max_failures(swept):
    failures = {"full/0000": ("raises once", 1)}
    once = swept(failures=failures, search__trials_per_method=1, resources__max_failures=0)
    assert [(trial.status, trial.failures) for trial in once.trials] == [("failed", 0)]


def test_resources_fail_fast(swept):
    failures = {"full/0000": ("cannot begin", 0)}
    with pytest.raises(SweepFailed, match=r"full/0000 failed, and resources\.fail_fast is set: .*begin"):
        swept(failures=failures, resources__fail_fast=True)


def until(reached: str, rung: int, folder: RunFolder) -> type[TimeLimit]:
    """A time that is over once a trial has reached a rung, on however slow a machine."""

    class Until(TimeLimit):
        def has_passed(self) -> bool:
            return any(record.id == reached and len(record.rungs) > rung for record in sound_records(folder))

    return Until


def test_search_deadline(tmp_path, cluster, caplog, monkeypatch):
    """What had begun is left at a rung, the final follows, and a resume goes on with the search."""
    folder = RunFolder(tmp_path / "run")
    settings = {**SMALL, "search__trials_per_method": 4}
    monkeypatch.setattr(search_phase, "TimeLimit", until("full/0001", 0, folder))
    task = plant_task(tmp_path, seconds=0.3)
    cut = run(sweep(task, **settings, search__deadline=60), folder.root, address=cluster, trainable=Replay)
    known = {trial.id: trial.rungs for trial in cut.search("full")}
    assert (len(known), len(known["full/0000"])) == (2, len(RUNGS))
    assert 0 < len(known["full/0001"]) < len(RUNGS)
    assert "The time is over (search.deadline: 60 s): of the search " in caplog.text
    assert "completed" in [record.status for record in cut.records if record.phase == "final"]
    monkeypatch.undo()
    whole = run(sweep(task, **settings), folder.root, address=cluster, trainable=Replay).search("full")
    assert len(whole) == 4
    assert all(trial.status.has_ended for trial in whole)
    assert all(
        trial.rungs[: len(rungs)] == rungs for trial, rungs in zip(whole, known.values(), strict=False)
    )


def test_deadline(tmp_path, cluster, caplog):
    """Nothing begins after it, not even the untrained model; the report says what there is."""
    task = plant_task(tmp_path)
    none = run(sweep(task, **SMALL, deadline=1e-3), tmp_path / "run", address=cluster, trainable=Replay)
    assert none.records == []
    assert "(deadline: 0.001 s): of the final 1 trials are left" in caplog.text
    assert (none.folder.report / "report.md").exists()
    whole = run(sweep(task, **SMALL, deadline=600), tmp_path / "run", address=cluster, trainable=Replay)
    assert {record.status.has_ended for record in whole.records} == {True}
    assert len(whole.records) == 2 + 2


@pytest.fixture(scope="module")
def finished(swept) -> Swept:
    """Of rates around the middle the default has the worst, so that it does not win."""
    methods = {"full": {"space": {"learning_rate": {"low": 5e-5, "high": 2e-4}}}}
    return swept(methods=methods, final__seeds=2, final__test_samples=2, final__retrain_defaults=True)


def test_final_seeds(finished):
    assert finished.ids("final") == ["baseline/seed-0", "full/seed-0", "full/seed-1"]


def test_final_test_samples(finished):
    assert finished.limits("test") == {2}


def test_final_retrain_defaults(finished):
    assert finished.ids("untuned") == ["full/untuned-0", "full/untuned-1"]


def test_resources_cpus_per_trial(swept):
    """Two trials of two CPUs find no room side by side."""
    wide = swept(resources__cpus_per_trial=2, resources__concurrent_trials="auto")
    assert {step["resources"]["CPU"] for step in wide.steps} == {2}
    assert all(later["began"] >= earlier["ended"] for earlier, later in pairwise(wide.steps))


def _one_l4(used: Any) -> tuple[list[dict[str, str]], None]:
    return [{"name": "L4"} for _ in used], None


@pytest.fixture(scope="module")
def on_gpu(swept) -> Swept:
    """On a GPU that only Ray knows of: no trial here computes on it, and none is asked to see it."""
    with (
        pytest.MonkeyPatch.context() as patched,
        started(num_cpus=2, num_gpus=1, resources={"accelerator_type:L4": 1}) as l4,
    ):
        patched.setattr("search.cluster.nodes.check_gpus", _one_l4)
        return swept(address=l4.address, resources__gpus_per_trial=0.5, resources__accelerator_type="L4")


def test_resources_gpus_per_trial(on_gpu):
    assert {step["resources"]["GPU"] for step in on_gpu.steps} == {0.5}
    placement = on_gpu.results.folder.read_provenance()["placement"]
    assert (placement["gpus_per_trial"], placement["gpus"]) == (0.5, [{"name": "L4"}])


def test_resources_accelerator_type(on_gpu):
    assert all("accelerator_type:L4" in step["resources"] for step in on_gpu.steps)


def test_every_cost_that_may_be_an_objective_is_told_by_a_real_trial(
    tmp_path, cluster, model_folder, data_files
):
    costs = get_args(CostObjective.model_fields["cost"].annotation)
    settings = sweep(
        tmp_path,
        **SMALL,
        task__model=model_folder("t5", 0.1, True),
        task__data=data_files | {"test": data_files["validation"]},
        task__max_target_tokens=16,
        search__objectives=["rougeL", *({"cost": cost} for cost in costs)],
        search__validation_samples=4,
        final__test_samples=2,
    )
    results = run(settings, tmp_path / "run", address=cluster)
    trials = results.search("full")
    assert {trial.status for trial in trials} <= {"completed", "stopped"}
    assert all(trial.cost[cost] is not None for trial in trials for cost in costs)
    fronts = (results.folder.report / "report.md").read_text().partition("## Trade-off in the search")[2]
    assert fronts.count("| Hypervolume, ") == len(costs)
