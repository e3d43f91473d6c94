"""A cluster that others started: its nodes are looked at, sent what they lack, used as they come and go."""

import json
import os
import shlex
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
import ray
from ray import cloudpickle

from search.cluster import nodes
from search.cluster.connection import connected
from search.engine.runner import run
from search.records.results import load_results
from search.records.run_folder import RunFolder
from tests.ray_cluster import RAY, free_port, started
from tests.search import replay
from trainables.errors import InputError

ROOT = Path(__file__).parents[3]
SECRETS = {"HF_TOKEN": "hf_planted_token_0123456789", "AWS_SECRET_ACCESS_KEY": "planted-aws-secret"}
cloudpickle.register_pickle_by_value(sys.modules[__name__])

FACTS = {
    "python": "3.11.7",
    "versions": dict.fromkeys(nodes.COMPARED, "1.0"),
    "code": "c0de",
}


def test_what_differs_on_a_node_is_said():
    theirs = {**FACTS, "versions": {**FACTS["versions"], "torch": "0.9", "sacrebleu": None}}
    assert nodes.check_versions({"a": FACTS}, FACTS) == []
    assert nodes.check_versions({"a": FACTS, "b": theirs}, FACTS) == [
        "torch 0.9 on b, 1.0 here",
        "sacrebleu is missing on b, 1.0 here",
    ]
    assert nodes.check_versions({"b": {**FACTS, "python": "3.12.1"}}, FACTS) == [
        "python 3.12.1 on b, 3.11.7 here"
    ]


def test_a_node_that_cannot_train_is_refused():
    theirs = {**FACTS, "versions": {**FACTS["versions"], "torch": None, "peft": None}}
    with pytest.raises(
        InputError, match=r"The node b cannot train: torch, peft not installed there. Install"
    ):
        nodes.check_versions({"a": FACTS, "b": theirs}, FACTS)


def test_code_is_sent_where_it_differs_and_where_no_node_is_there_to_ask():
    here = nodes.here()
    assert here["python"] == ".".join(map(str, sys.version_info[:3]))
    assert here["versions"]["ray"] == ray.__version__
    assert not nodes.lack_code({"a": here})
    assert nodes.lack_code({"a": here, "b": {**here, "code": "other"}})
    assert nodes.lack_code({})


class Equipped(replay.Replay):
    """Notes what its process was given."""

    def _begin(self, config: dict[str, Any]) -> None:
        super()._begin(config)
        mark = Path(config["assignment"]["task"]["model"]) / "given"
        mark.write_text(json.dumps({name: os.environ.get(name) for name in SECRETS}))


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_credentials_reach_the_workers_and_no_file(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray.init(address=cluster, log_to_driver=False)
    session = Path(ray._private.worker._global_node.get_session_dir_path())
    ray.shutdown()
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    task = replay.plant_task(tmp_path / "task", failures={"lora/0001": ("raises", 0)})
    sweep = replay.sweep(task, search__trials_per_method=2, final__seeds=1)
    results = run(sweep, tmp_path / "run", address=cluster, trainable=Equipped)
    assert json.loads((task / "model/given").read_text()) == SECRETS
    assert "failed" in set(results.trials["status"])
    looked_at = [
        file
        for folder in (tmp_path / "run", session / "logs")
        for file in folder.rglob("*")
        if file.is_file()
    ]
    assert len(looked_at) > 20
    left = [file.read_bytes() for file in looked_at]
    assert [name for name, value in SECRETS.items() if any(value.encode() in file for file in left)] == []


def listening(process: psutil.Process) -> set[str]:
    """The addresses at which it and its children accept connections."""
    found = set()
    for one in (process, *process.children(recursive=True)):
        try:
            connections = one.net_connections("tcp")
        except psutil.NoSuchProcess:
            continue
        found |= {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    return found


@pytest.mark.ray
@pytest.mark.slow
def test_rays_own_ports_are_on_loopback():
    before = listening(psutil.Process())
    with connected(None):
        ray.get(ray.remote(lambda: 1).remote())
        opened = listening(psutil.Process()) - before
    assert opened
    assert {ip.removeprefix("::ffff:") for ip in opened} <= {"127.0.0.1", "::1"}


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sweep_waits_for_the_first_node_and_uses_the_next_within_seconds(tmp_path: Path) -> None:
    """Trials outlast the start of a worker: Tune hands a waiting trial to the first worker that is free."""
    task = replay.plant_task(tmp_path / "task", seconds=12.0)
    short = {"search__trials_per_method": 2, "final__seeds": 1}
    sweep = replay.sweep(task, search__scheduler="none", **short)

    def pids() -> set[int]:
        return {step["pid"] for step in replay.steps(task)}

    with started(num_cpus=0) as cluster, pytest.MonkeyPatch.context() as patch:
        patch.setattr("signal.signal", lambda *what: None)  # only a main thread may say what a signal does
        options = {"address": cluster.address, "trainable": replay.Replay}
        running = Thread(target=run, args=(sweep, tmp_path / "run"), kwargs=options)
        running.start()
        time.sleep(5)
        assert pids() == set()
        cluster.add_node(num_cpus=1)
        while not pids():
            time.sleep(0.1)
        alone = pids()
        cluster.add_node(num_cpus=2)
        joined = time.time()
        running.join()
    others = [step["began"] for step in replay.steps(task) if step["pid"] not in alone]
    assert len(alone) == 1
    assert len(replay.steps(task)) == 2 * 2 + 1 + 2
    print(f"a node that joined began its first trial after {min(others) - joined:.1f} s")  # noqa: T201


BLIND_NODE = "mount -t tmpfs none {folder} && exec {ray} start --address={address} --num-cpus=1 --block"


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_folder_that_a_node_does_not_see_is_refused_at_the_start(tmp_path: Path) -> None:
    """A node with a mount namespace of its own has another disk under the path of the run folder."""
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody unshare a mount namespace")
    storage = tmp_path / "runs"
    storage.mkdir()
    task = replay.plant_task(tmp_path / "task")
    sweep = replay.sweep(task, storage=str(storage))
    with started(num_cpus=1) as cluster:
        script = BLIND_NODE.format(ray=shlex.join(RAY), folder=storage, address=cluster.address)
        with subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdout=subprocess.DEVNULL) as blind:
            try:
                cluster.wait_for_nodes = None  # type: ignore[method-assign] # it knows only its own
                ray.init(address=cluster.address, log_to_driver=False)
                while len([node for node in ray.nodes() if node["Alive"]]) < 2:
                    assert blind.poll() is None
                    time.sleep(0.5)
                ray.shutdown()
                message = "/replayed is not shared: 1 of 2 nodes .*Set `storage` to a folder"
                with pytest.raises(InputError, match=message):
                    run(sweep, address=cluster.address, trainable=replay.Replay)
            finally:
                blind.terminate()
    assert replay.steps(task) == []
    assert not list((storage / "replayed").glob(".seen-*"))


DRIVER = """
import ray
from search.cluster.connection import connected
from search.records.results import load_results

@ray.remote
def where():
    import search, trainables, spaces
    return [module.__file__ for module in (search, trainables, spaces)]

with connected({address!r}):
    print(*ray.get(where.remote()))
"""


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_code_that_the_nodes_have_not_is_sent_to_them(cluster: str, tmp_path: Path) -> None:
    """The driver is a copy of the packages with a file more, at a place that workers do not look in."""
    copy = tmp_path / "copy"
    for package in nodes.CODE:
        subprocess.run(
            ["cp", "-r", str(ROOT / package), str(copy / package)], check=copy.mkdir(exist_ok=True) is None
        )
    (copy / "search/novelty.py").write_text("NEW = True\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/driver.py").write_text(textwrap.dedent(DRIVER.format(address=cluster)))
    result = subprocess.run(
        [sys.executable, "driver.py"],
        cwd=tmp_path / "elsewhere",
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    places = [Path(place) for place in result.stdout.split()]
    assert len(places) == 3
    assert all("runtime_resources/py_modules_files" in str(place) for place in places)
    assert (places[0].parent / "novelty.py").exists()


class Jobs:
    """The job server of a cluster, asked as a user does."""

    def __init__(self, port: int) -> None:
        self.address = ["--address", f"http://127.0.0.1:{port}"]

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        verb, *rest = words
        command = [*RAY, "job", verb, *self.address, *rest]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    def submit(self, *words: str) -> subprocess.CompletedProcess[str]:
        while True:
            result = self.ask("submit", *words)
            if "No available agent" not in result.stderr:  # the head has not started all of itself
                return result
            time.sleep(1)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_job_that_is_stopped_goes_on_when_it_is_submitted_again(tmp_path: Path) -> None:
    task = replay.plant_sweep(
        tmp_path / "task", seconds=1.0, concurrent=1, final__seeds=1, storage=str(tmp_path / "runs")
    )
    port, agent = free_port(), free_port()  # another Ray on this machine may have the usual ones
    head = {"include_dashboard": True, "dashboard_port": port, "dashboard_agent_listen_port": agent}
    patience = json.dumps({"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": "120"}})
    sweep = ["--", sys.executable, "-m", "tests.search.drive", "run", str(task / "sweep.yaml")]
    with started(num_cpus=2, **head):
        jobs = Jobs(port)
        first = jobs.submit("--no-wait", "--submission-id", "first", "--runtime-env-json", patience, *sweep)
        assert first.returncode == 0, first.stdout + first.stderr
        while not any(step["rung"] == 2 for step in replay.steps(task)):  # one has finished
            time.sleep(0.2)
        stopped = jobs.ask("stop", "first")
        assert "was stopped" in stopped.stdout, stopped.stdout + stopped.stderr
        printed = jobs.ask("logs", "first").stdout
        done = {step["trial"] for step in replay.steps(task) if step["rung"] == 2}
        kept = {record.id: record for record in RunFolder(tmp_path / "runs/replayed").read_records()}
        again = jobs.submit(*sweep)
    assert "Interrupted; every finished rung is kept. Go on with: tuneoff resume /" in printed
    assert "Traceback" not in printed
    assert done <= {name for name, record in kept.items() if record.status == "completed"}
    assert again.returncode == 0, again.stdout + again.stderr
    assert "succeeded" in again.stdout
    trained = Counter((step["trial"], step["rung"]) for step in replay.steps(task))
    ended = {name for name, record in kept.items() if record.status != "running"}
    assert done
    assert all(count == 1 for (trial, _), count in trained.items() if trial in ended)
    results = load_results(tmp_path / "runs/replayed")
    assert len(results.records) == 2 * (4 + 1) + 1
    assert {record.status for record in results.records} <= {"completed", "stopped"}
    assert (results.folder.report / "report.html").exists()
