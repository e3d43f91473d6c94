"""The preflight checks: what they find decides which methods are searched, and is asked once."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from search.cluster.placement import Slots
from search.console.check_table import check_table
from search.console.progress import Progress
from search.engine.runner import run
from search.preflight.checker import memory_share, try_methods
from search.records.plan import Plan
from search.records.preflight_results import PreflightResults
from search.records.record import Record
from search.records.run_folder import RunFolder
from tests.search.replay import Replay, asked, asked_about, check, findings, plant_task, steps, sweep
from trainables.data import load
from trainables.errors import InputError
from trainables.preflight.findings import Findings
from trainables.storage.atomic import write_text

ROOT = Path(__file__).parents[3]


def stop_at_failures(preflight: PreflightResults) -> None:
    """What --strict does."""
    if preflight.is_whole and preflight.failed():
        raise InputError(f"failed: {', '.join(preflight.failed())}")


def start(task: Path, cluster: str, checks: Any = lambda _: None, **changes: Any) -> RunFolder:
    small = {
        "search__trials_per_method": 1,
        "final__seeds": 1,
        "resources__concurrent_trials": 1,
    } | changes
    run(sweep(task, **small), task / "run", address=cluster, checks=checks, trainable=Replay)
    return RunFolder(task / "run")


def ask(task: Path, cluster: str, **changes: Any) -> PreflightResults:
    settings = sweep(task, **changes)
    data = load(settings.task, settings.seed)
    return try_methods(settings, data, [9], lambda _: None, address=cluster, trainable=Replay)


@pytest.mark.ray
@pytest.mark.timeout(240)
def test_a_failed_method_is_left_out_and_what_was_asked_is_not_asked_again(tmp_path, cluster):
    task, told = plant_task(tmp_path, failures={"checks/lora": ("fails", 0)}), []
    folder = start(task, cluster, told.append)
    records = folder.read_records()
    assert {record.method for record in records} == {"full", "baseline"}
    assert {record.status for record in records} == {"completed"}
    assert folder.read_preflight() == told[-1]
    passed = [list(preflight.methods) for preflight in told if not preflight.under_way]
    assert passed == [["full"], ["full", "lora"], ["full", "lora"]]
    under_way = [(name, len(it.checks)) for one in told for name, it in one.under_way.items()]
    assert under_way == [("full", n + 1) for n in range(len(findings().checks))] + [("lora", 1), ("lora", 2)]
    assert told[-1].failed() == ["lora"]
    assert told[-1].disk_and_time.verdict == "pass"
    assert told[-1].startup_seconds > 0
    assert asked_about(task) == ["full", "lora"]
    assert len({request["pid"] for request in asked(task)}) == 1

    trained, messages = len(steps(task)), len(told)
    start(task, cluster, told.append)
    assert len(told) == messages
    assert len(steps(task)) == trained

    folder = start(task, cluster, told.append, methods={"full": {}, "lora": {}, "prompt_tuning": {}})
    assert asked_about(task) == ["full", "lora", "prompt_tuning"]
    assert {record.method for record in folder.read_records()} == {"full", "prompt_tuning", "baseline"}
    assert folder.read_preflight().failed() == ["lora"]


@pytest.mark.ray
@pytest.mark.timeout(120)
def test_a_listener_may_stop_the_sweep_before_it_begins(tmp_path, cluster):
    task = plant_task(tmp_path, failures={"checks/full": ("fails", 0)})
    with pytest.raises(InputError, match="failed: full"):
        start(task, cluster, stop_at_failures)
    assert steps(task) == []
    assert RunFolder(task / "run").read_records() == []


@pytest.mark.ray
@pytest.mark.timeout(120)
@pytest.mark.slow
def test_strict_ends_with_code_2_and_says_why_also_the_next_time(tmp_path, cluster):
    task = plant_task(tmp_path, failures={"checks/full": ("fails", 0)})
    write_text(task / "sweep.yaml", sweep(task).to_yaml())
    for _ in range(2):
        command = [sys.executable, "-m", "tests.search.drive", "run", str(task / "sweep.yaml")]
        options = ["--strict", "--folder", str(task / "run"), "--address", cluster]
        result = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 2
        assert result.stderr.strip() == "Error: full failed gradients: dead rows"
    assert len(asked(task)) == 2
    assert steps(task) == []


@pytest.mark.ray
@pytest.mark.timeout(120)
def test_with_no_method_left_the_sweep_ends(tmp_path, cluster):
    task = plant_task(tmp_path, failures={f"checks/{name}": ("fails", 0) for name in ("full", "lora")})
    for _ in range(2):
        with pytest.raises(
            InputError, match=r"No method passed its preflight checks: .*preflight\.json says why"
        ):
            start(task, cluster)
    assert len(asked(task)) == 2
    assert steps(task) == []


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_worker_that_dies_or_cannot_be_asked_fails_its_method_only(tmp_path, cluster):
    task = plant_task(tmp_path, failures={"checks/full": ("dies", 9), "checks/prompt_tuning": ("raises", 0)})
    methods = {"full": {}, "lora": {}, "prompt_tuning": {}}
    preflight = ask(task, cluster, methods=methods, resources__concurrent_trials=1)
    messages = {name: found.checks[0].message for name, found in preflight.methods.items() if found.failed}
    assert messages["full"].startswith("the worker died 3 times: it was killed, or ran out of memory")
    assert messages["prompt_tuning"] == "RuntimeError: prompt_tuning cannot be asked"
    assert preflight.methods["lora"] == findings()
    assert asked_about(task) == ["full", "full", "full", "lora", "prompt_tuning"]
    assert len({request["pid"] for request in asked(task)}) == 4


@pytest.mark.ray
@pytest.mark.timeout(120)
def test_a_worker_that_dies_once_is_no_verdict_on_its_method(tmp_path, cluster):
    preflight = ask(plant_task(tmp_path, failures={"checks/full": ("dies", 1)}), cluster)
    assert preflight.failed() == []
    assert preflight.methods["full"] == findings()


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_was_out_of_a_methods_hands_is_asked_again_when_the_sweep_goes_on(tmp_path, cluster):
    failures = {
        "checks/full": ("dies", 3),
        "checks/lora": ("raises", 0),
        "checks/prompt_tuning": ("fails", 0),
    }
    methods = {"full": {}, "lora": {}, "prompt_tuning": {}, "ia3": {}}
    folder = start(plant_task(tmp_path, failures=failures), cluster, methods=methods)
    assert folder.read_preflight().failed() == ["full", "lora", "prompt_tuning"]
    assert {record.method for record in folder.read_records()} == {"ia3", "baseline"}
    before = asked_about(tmp_path)

    start(plant_task(tmp_path, failures={"checks/full": ("dies", 3)}), cluster, methods=methods)
    assert asked_about(tmp_path)[len(before) :] == ["full", "lora"]
    preflight = folder.read_preflight()
    assert preflight.failed() == ["prompt_tuning"]
    assert preflight.micro_batch("ia3") == 4  # what was found is kept
    ended = [record.method for record in folder.read_records() if record.status == "completed"]
    assert set(ended) == {"full", "lora", "ia3", "baseline"}


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_as_many_workers_are_asked_at_a_time_as_trials_will_run(tmp_path, cluster):
    """Each answers only once the other has been asked; in the end they stand in the sweep's order."""
    task = plant_task(tmp_path, failures={f"checks/{name}": ("awaits", 2) for name in ("full", "lora")})
    preflight = ask(task, cluster, methods={"full": {}, "lora": {}}, resources__concurrent_trials=2)
    assert list(preflight.methods) == ["full", "lora"]
    assert preflight.failed() == []
    assert len({request["pid"] for request in asked(task)}) == 2


@pytest.mark.ray
@pytest.mark.timeout(120)
def test_workers_are_asked_about_the_default_and_the_costliest_corner(tmp_path, cluster):
    task = plant_task(tmp_path)
    lora = {"base": "lora", "space": {"rank": [4, 16]}, "fix": {"targets": "attention"}}
    ask(task, cluster, methods={"mine": lora})
    (request,) = asked(task)
    assert request["method"] == "lora"
    assert request["hyperparameters"]["targets"] == request["costliest"]["targets"] == "attention"
    assert (request["hyperparameters"]["rank"], request["costliest"]["rank"]) == (4, 16)
    assert (request["hyperparameters"]["batch_size"], request["costliest"]["batch_size"]) == (8, 32)
    assert request["costliest"]["learning_rate"] == request["hyperparameters"]["learning_rate"]
    assert request["memory_share"] == 0.5  # two trials at a time on two CPUs


def test_a_trial_is_given_the_portions_that_its_gate_chose(tmp_path, bare):
    settings = sweep(plant_task(tmp_path / "task"))
    whole = findings().model_copy(update={"checks": [check("memory", {"micro_batch": None})]})
    preflight = PreflightResults(methods={"full": findings(), "lora": whole})
    plan = Plan(settings, RunFolder(tmp_path / "run"), "fingerprint", [9], preflight)

    def micro_batch(record: Record) -> int | None:
        return plan.assignment(record).micro_batch

    assert micro_batch(bare.trial("full", 0, [])) == 4
    assert micro_batch(bare.trial("lora", 0, [])) is None
    assert micro_batch(bare.final("full", 0, None)) == 4
    assert micro_batch(bare.final("baseline", 0, None)) is None


@pytest.mark.parametrize(
    ("slots", "machines", "share"),
    [
        (Slots(cpus=1, gpus=0, concurrent=8), 1, 1 / 8),
        (Slots(cpus=1, gpus=0, concurrent=8), 4, 1 / 2),
        (Slots(cpus=1, gpus=0, concurrent=3), 2, 1 / 2),
        (Slots(cpus=1, gpus=1, concurrent=4), 1, 1.0),
        (Slots(cpus=1, gpus=0.25, concurrent=8), 1, 0.25),
    ],
)
def test_trials_side_by_side_share_the_memory(slots: Slots, machines: int, share: float) -> None:
    assert memory_share(slots, machines) == share


def test_what_was_found_is_read_back(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.read_preflight() == PreflightResults()
    preflight = PreflightResults(methods={"lora": findings(fails=True)}, startup_seconds=3.5, is_whole=True)
    folder.write_json(folder.preflight_file, preflight.model_dump())
    assert folder.read_preflight() == preflight
    folder.preflight_file.write_text("{")
    with pytest.raises(InputError, match=r"preflight\.json cannot be read"):
        folder.read_preflight()


def preflight_of(**methods: Findings) -> PreflightResults:
    last = check("disk and time", {}, message="about 25 min, 1.2 GB")
    return PreflightResults(methods=methods, disk_and_time=last, is_whole=True)


def test_the_table_of_checks(golden):
    console = Console(file=io.StringIO(), width=100)
    console.print(check_table(preflight_of(full=findings(), lora=findings(fails=True), mine=findings())))
    lines = console.file.getvalue().splitlines()
    golden("".join(f"{line.rstrip()}\n" for line in lines), "checks.txt")


def test_a_line_a_check_and_a_method_left_out_is_not_waited_for(bare):
    console = Console(file=io.StringIO(), width=100)
    settings = sweep(bare.root, methods={"full": {}, "lora": {}})
    progress = Progress(settings, (), console)
    progress.checks(PreflightResults(methods={"full": findings()}))
    begun = Findings(checks=findings().checks[:1])
    progress.checks(PreflightResults(methods={"full": findings()}, under_way={"lora": begun}))
    progress.checks(PreflightResults(methods={"full": findings(), "lora": findings(fails=True)}))
    told = console.file.getvalue()
    assert "full passed its preflight checks in 0 s" in told
    assert "lora failed gradients: dead rows" in told
    assert f"lora {begun.checks[0].name}: pass in 0 s" in told
    assert told.count("full passed") == 1
    assert "Preflight checks" not in told
    progress("rung", bare.trial("full", 0, [1, 2, 30]))
    assert progress.table().row_count == 1
