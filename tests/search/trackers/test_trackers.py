"""What MLflow and W&B would show: read by MLflow's client, and from the file that `wandb sync` uploads."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from search.config.sweep import Sweep
from search.engine.runner import run
from search.records.plan import Plan
from search.records.record import Record
from search.trackers import tracking
from search.trackers.tensorboard import scalars
from search.trackers.tracking import check_trackers, tracked
from tests.search.replay import RUNGS, Replay, plant_task, sweep
from trainables.errors import InputError

TRACKERS = ("mlflow", "wandb")


@dataclass
class Shown:
    """A run as its tracker shows it."""

    group: str
    """Of the sweep: its experiment in MLflow."""
    name: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    hyperparameters: dict[str, str] = field(default_factory=dict)
    points: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    status: str = ""
    has_failed: bool = False


def mlflow_runs(folder: Path) -> list[Shown]:
    """All runs."""
    from mlflow import MlflowClient

    client = MlflowClient()
    found = []
    for experiment in client.search_experiments(filter_string="name != 'Default'"):
        for each in client.search_runs([experiment.experiment_id]):
            shown = Shown(experiment.name, each.info.run_name, each.data.tags, each.data.params)
            for name in each.data.metrics:
                history = client.get_metric_history(each.info.run_id, name)
                shown.points[name] = [(metric.step, metric.value) for metric in history]
            shown.status = each.data.tags["status"]
            shown.has_failed = each.info.status == "FAILED"
            found.append(shown)
    return found


def wandb_runs(folder: Path) -> list[Shown]:
    """All runs; what several starts told of one is put together as `wandb sync` does it, by its id."""
    import wandb

    wandb.teardown()  # what has ended is on disk only now
    runs: dict[str, Shown] = {}
    for file in sorted(folder.rglob("offline-run-*/*.wandb")):
        _read(file, runs)
    return list(runs.values())


def _read(file: Path, runs: dict[str, Shown]) -> None:
    from wandb.proto.wandb_internal_pb2 import Record as Entry

    shown = Shown("")
    for entry in map(Entry.FromString, leveldb_log(file.read_bytes())):
        if entry.HasField("run"):
            told = entry.run
            shown = runs.setdefault(told.run_id, Shown(told.run_group, told.display_name))
            config = {item.key: json.loads(item.value_json) for item in told.config.update}
            shown.labels = {
                key: config.pop(key) for key in ("method", "phase", "origin", "of_trial") if key in config
            }
            assert set(told.tags) == {shown.labels["method"], told.job_type, shown.labels["origin"]}
            shown.hyperparameters = {key: str(value) for key, value in config.items() if key != "_wandb"}
        if entry.HasField("history"):
            values = {
                "/".join(item.nested_key) or item.key: json.loads(item.value_json)
                for item in entry.history.item
            }
            for name, value in values.items():
                point = (values["_step"], value)
                if not name.startswith("_") and point not in shown.points.setdefault(name, []):
                    shown.points[name].append(point)
        if entry.HasField("summary"):
            known = {
                item.key or item.nested_key[0]: json.loads(item.value_json) for item in entry.summary.update
            }
            shown.status = known.get("status", shown.status)
        if entry.HasField("exit"):
            shown.has_failed = entry.exit.exit_code != 0


def leveldb_log(data: bytes, block: int = 2**15) -> list[bytes]:
    """Records of a log in LevelDB's format, each cut where a block ends; W&B's own header is before them."""
    found, begun, place = [], b"", 7
    while place < len(data):
        if (left := block - place % block) < 7:
            place += left
        length, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        begun += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, last
            found.append(begun)
            begun = b""
    return found


RUNS: dict[str, Callable[[Path], list[Shown]]] = {"mlflow": mlflow_runs, "wandb": wandb_runs}


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """Each tracker keeps what it is told in a folder of the test, and finds nobody's key."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "WANDB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a database takes seconds to make
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    yield tmp_path
    if "wandb" in sys.modules:
        sys.modules["wandb"].teardown()  # which has read its environment, and would not again


@pytest.fixture(params=TRACKERS)
def tracker(request, offline) -> str:
    return request.param


def plan_of(planted, *names: str) -> Plan:
    content = Sweep.from_yaml((planted.root / "sweep.yaml").read_text()).model_dump() | {
        "tracking": list(names)
    }
    return Plan(Sweep.model_validate(content), planted.folder, "0f1e2d3c", [100, 300, 900])


def tell(plan: Plan, *records: Record) -> None:
    """A start of a sweep in which so much happens."""
    with tracked(plan) as listeners:
        for record in records:
            for listener in listeners:
                listener("rung" if record.rungs else "begin", record)


def running(planted, scores: list[float | None], **changes) -> Record:
    return planted.trial("lora", 1, scores, **{"status": "running", "ended": None} | changes)


def test_a_trial_is_a_run_with_its_hyperparameters_and_a_point_a_rung(bare, tracker, offline):
    begun = [running(bare, [20.5, None, 30.25][:count]) for count in range(3)]
    record = bare.trial("lora", 1, [20.5, None, 30.25])
    tell(plan_of(bare, tracker), *begun, record)
    (shown,) = RUNS[tracker](offline)
    assert (shown.group, shown.name) == ("planted", "lora/0001")
    assert shown.labels.items() >= {"method": "lora", "phase": "search", "origin": "sampled"}.items()
    assert shown.hyperparameters == {name: str(value) for name, value in record.hyperparameters.items()}
    assert shown.points["validation/rougeL"] == [(100, 20.5), (900, 30.25)]
    assert shown.points["loss/validation"] == [(100, 2.5), (300, 1.5), (900, 0.5)]
    assert shown.points.keys() == {tag for tag, _ in scalars(record, record.rungs[-1])}
    assert (shown.status, shown.has_failed) == ("completed", False)


def test_the_next_start_goes_on_with_the_run_and_tells_what_was_missed(bare, tracker, offline, monkeypatch):
    plan = plan_of(bare, tracker)
    tell(plan, running(bare, []), running(bare, [20]))
    (interrupted,) = RUNS[tracker](offline)
    assert interrupted.status == "running"
    monkeypatch.setenv("WANDB_DIR", str(offline / "wandb2"))  # a folder is named by its second
    tell(plan, running(bare, [20, 25]), bare.trial("lora", 1, [20, 25, 30]))
    (shown,) = RUNS[tracker](offline)
    assert shown.points["validation/rougeL"] == [(100, 20), (300, 25), (900, 30)]
    assert (shown.status, shown.has_failed) == ("completed", False)


def test_a_trial_that_fails_is_shown_as_failed_without_its_traceback(bare, tracker, offline):
    secret = "a line of the data"
    tell(
        plan_of(bare, tracker),
        running(bare, [20]),
        bare.trial("lora", 1, [20], status="failed", error=secret),
    )
    (shown,) = RUNS[tracker](offline)
    assert (shown.status, shown.has_failed) == ("failed", True)
    kept = [file for file in offline.rglob("*") if file.is_file() and bare.root not in file.parents]
    assert kept
    assert not [file for file in kept if secret.encode() in file.read_bytes()]


def test_a_run_of_the_final_for_another_winner_is_another_run(bare, tracker, offline):
    plan = plan_of(bare, tracker)
    tell(plan, bare.final("lora", 0, 30), bare.final("lora", 0, 40, started="2026-11-24T08:00:00+00:00"))
    found = sorted(shown.points["test/rougeL"] for shown in RUNS[tracker](offline))
    assert found == [[(900, 30)], [(900, 40)]]


def test_the_untrained_model_is_a_run_too(bare, tracker, offline):
    record = bare.final("baseline", 0, 20)
    tell(
        plan_of(bare, tracker),
        record.model_copy(update={"rungs": [record.rungs[0].model_copy(update={"examples": 0})]}),
    )
    (shown,) = RUNS[tracker](offline)
    assert shown.points["test/rougeL"] == [(0, 20)]
    assert (shown.hyperparameters, shown.labels["origin"]) == ({}, "baseline")


@pytest.mark.parametrize(
    ("name", "variable", "reason"),
    [
        ("mlflow", "MLFLOW_TRACKING_URI=file:///dev/null/mlruns", "Not a directory"),
        ("mlflow", "MLFLOW_TRACKING_URI=nowhere://x", "unsupported URI"),
        ("wandb", "WANDB_MODE=online", "no API key. Run `wandb login`"),
    ],
)
@pytest.mark.usefixtures("offline")
def test_one_that_cannot_be_used_is_off_after_one_line(bare, monkeypatch, caplog, name, variable, reason):
    monkeypatch.setenv(*variable.split("="))
    tell(plan_of(bare, name), *(running(bare, [20, 25, 30][:count]) for count in range(4)))
    (line,) = [entry.getMessage() for entry in caplog.records if entry.name == "search.trackers.tracking"]
    assert line.startswith(f"{name} is off until the next start: ")
    assert reason in line


def test_one_that_is_lost_on_the_way_is_off_after_one_line(bare, offline, caplog):
    """Somebody deletes the run in MLflow; the other tracker hears of all."""
    with tracked(plan_of(bare, *TRACKERS)) as listeners:
        for listener in listeners:
            listener("begin", running(bare, []))
        while not (parameters := [*offline.glob("mlruns/*/*/params/targets")]):
            time.sleep(0.01)
        shutil.rmtree(parameters[0].parents[1])
        for count in (1, 2, 3):
            for listener in listeners:
                listener("rung", running(bare, [20, 25, 30][:count]))
    (line,) = [entry.getMessage() for entry in caplog.records if entry.name == "search.trackers.tracking"]
    assert line.startswith("mlflow is off until the next start: ")
    (shown,) = wandb_runs(offline)
    assert shown.points["validation/rougeL"] == [(100, 20), (300, 25), (900, 30)]


def test_one_that_never_answers_holds_nothing_up(bare, offline, monkeypatch, caplog):
    monkeypatch.setattr(tracking, "CLOSE_SECONDS", 0.1)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        tell(plan_of(bare, "mlflow"), running(bare, []), running(bare, [20]))
        assert "mlflow has not taken everything in 0.1 s" in caplog.text


@pytest.mark.parametrize("name", TRACKERS)
def test_a_library_that_is_not_there_is_told_with_its_extra(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=rf"tracking: {name} is not installed. Install tuneoff\[{name}\]"):
        check_trackers([name])


def test_it_is_told_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match="wandb is not installed"):
        run(sweep(plant_task(tmp_path), tracking=["wandb"]), tmp_path / "run")
    assert not (tmp_path / "run/sweep.yaml").exists()


def test_a_folder_that_wandb_leaves_is_not_its_library(tmp_path, monkeypatch):
    (tmp_path / "wandb").mkdir()
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(InputError, match="wandb is not installed"):
        check_trackers(["wandb"])


def test_no_library_of_a_tracker_is_loaded_for_a_sweep_without(offline):
    code = "import search.engine.runner, sys; print(*{'mlflow', 'wandb'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")  # MLflow's own
def test_a_sweep_that_grows_goes_on_in_the_same_runs(tmp_path, cluster, offline, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    task = plant_task(tmp_path / "task")
    for trials in (2, 3):
        grown = sweep(task, tracking=list(TRACKERS), search__trials_per_method=trials)
        results = run(grown, task / "run", address=cluster, trainable=Replay)
    records = {record.id: record for record in results.records}
    for name in TRACKERS:
        shown = {run.name: run for run in RUNS[name](offline) if run.group == "replayed"}
        assert shown.keys() == records.keys()
        for key, record in records.items():
            assert shown[key].status == record.status
            points = [(rung.examples, rung.score) for rung in record.rungs if rung.score is not None]
            assert shown[key].points[f"{record.split}/rougeL"] == points
    assert max(rung.examples for rung in records["full/0000"].rungs) == RUNGS[-1]
