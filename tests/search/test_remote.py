"""A command that goes to a cluster through Ray Client: what is told here, and what happens there."""

import os
import signal
import socket
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from search.cluster import remote
from search.config.sweep import SweepError, load_sweep
from search.console import app as cli
from search.records.results import load_results
from search.records.run_folder import RunFolder
from tests.ray_cluster import started
from tests.search import replay
from trainables.errors import InputError

ROOT = Path(__file__).parents[2]
NOBODY = "ray://127.0.0.1:1"
TOKEN = "hf_planted_token_0123456789"


def plant(folder: Path, **changes: object) -> Path:
    """The file of a sweep, its storage beside it."""
    settings = {"storage": str(folder / "runs"), "final__seeds": 1, **changes}
    return replay.plant_sweep(folder, seconds=1.0, concurrent=1, **settings) / "sweep.yaml"


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({"storage": "runs"}, [], "storage: must be a whole path or a URL.*; got runs/replayed"),
        ({}, ["--folder", "here"], "--folder: must be a whole path or a URL.*; got here"),
        ({"search__warm_start": "runs/a"}, [], "search.warm_start: must be a whole path"),
        ({}, ["--set", "final.seeds=0"], "final.seeds"),
        ({}, [], f"--address {NOBODY}: no Ray cluster answers there .*refused"),
    ],
)
def test_what_can_be_mended_is_told_before_anything_starts(tmp_path, changes, arguments, message):
    file = plant(tmp_path, **changes)
    with pytest.raises(InputError, match=message):
        cli.app(["run", str(file), *arguments, "--address", NOBODY], standalone_mode=False)


def test_the_folder_to_resume_is_one_of_the_cluster(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", NOBODY)
    with pytest.raises(InputError, match="FOLDER: must be a whole path or a URL"):
        cli.app(["resume", "runs/mine"], standalone_mode=False)


def test_without_grpc_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(remote, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"Ray Client needs grpcio. Install tuneoff\[client\]"):
        remote.run_there(NOBODY, remote.Command("/runs/mine", ["resume", "/runs/mine"]))


def test_data_may_lie_on_the_cluster_only_but_not_beside_a_file_that_is_here(tmp_path):
    file = plant(tmp_path)
    there = ["task.data.train=/nodes/train.jsonl"]
    assert load_sweep(file, there, elsewhere=True).task.data.train == "/nodes/train.jsonl"
    with pytest.raises(SweepError, match=r"task\.data\.train: no such file"):
        load_sweep(file, there)
    with pytest.raises(SweepError, match=r"task\.data\.train: no such file"):
        load_sweep(file, ["task.data.train=train-2.jsonl"], elsewhere=True)
    beside = load_sweep(file, ["task.data.train=train.jsonl"], elsewhere=True)
    assert beside.task.data.train == str(tmp_path / "train.jsonl")


def test_credentials_go_along_and_nothing_else(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "planted")
    monkeypatch.setenv("STUDY_PASSWORD", "planted")
    monkeypatch.setenv("OTHER_TOKEN", "planted")
    studies = "postgresql://me:${STUDY_PASSWORD}@there/studies"
    sweep = load_sweep(plant(tmp_path, search__study_storage=studies))
    assert {"HF_TOKEN", "STUDY_PASSWORD"} <= set(remote.environment(sweep))
    assert "OTHER_TOKEN" not in remote.environment(sweep)
    assert "STUDY_PASSWORD" not in remote.environment(None)


@pytest.fixture(scope="module")
def there() -> Iterator[tuple[str, Path]]:
    """The address of a cluster's client server, and the folder of its logs."""
    pytest.importorskip("grpc", reason="Ray Client needs grpcio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("PYTHONPATH", str(ROOT))  # the replayed trials
        with warnings.catch_warnings(
            action="ignore", category=ResourceWarning
        ):  # Ray closes not all it opens
            cluster = stack.enter_context(started(num_cpus=1, ray_client_server_port=port))
        yield f"ray://127.0.0.1:{port}", Path(cluster.head_node.get_logs_dir_path())


CLIENT = """
import signal
from search import cli, remote
signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts the tests may ignore it
remote.MODULE = "tests.search.drive"
cli.main()
"""


@contextmanager
def command(address: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`tuneoff` as on a machine outside, with learning curves for training there."""
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT, *arguments, "--address", address],
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as client:
        try:
            yield client
        finally:
            client.kill()


def read_until(client: subprocess.Popen[str], sign: str) -> str:
    printed = ""
    assert client.stdout is not None
    for line in client.stdout:
        printed += line
        if sign in line:
            return printed
    pytest.fail(f"{sign!r} was not printed, but:\n{printed}")


def drivers(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if {"tests.search.drive", str(folder)} <= set(process.info["cmdline"] or ())
    ]


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sweep_is_run_there_interrupted_left_alone_and_shown_again(
    there: tuple[str, Path], tmp_path: Path
) -> None:
    address, logs = there
    file = plant(tmp_path)
    folder = tmp_path / "runs/replayed"

    with command(address, "run", str(file)) as client:
        printed = read_until(client, "completed: ")
        (driver,) = drivers(folder)
        assert driver.environ()["HF_TOKEN"] == TOKEN
        client.send_signal(signal.SIGINT)
        printed += client.communicate()[0]
    assert client.returncode == 130
    assert not driver.is_running()
    assert printed.startswith("On the cluster, to whose nodes all paths belong. Ctrl-C ends")
    assert f"Go on with: tuneoff resume {folder}" in printed
    kept = {record.id for record in RunFolder(folder).read_records() if record.status != "running"}
    assert kept

    with command(address, "resume", str(folder)) as client:
        read_until(client, " after ")
        client.kill()
    (driver,) = drivers(folder)  # it goes on

    with command(address, "resume", str(folder)) as client:
        printed, _ = client.communicate()
    assert client.returncode == 0
    assert printed.startswith(f"A command for {folder} is there already: this shows it")
    assert printed.count("Run folder: ") == 1
    assert printed.rstrip().endswith(f"Report: {folder}/report/report.html")

    results = load_results(folder)
    assert len(results.records) == 2 * (4 + 1) + 1
    assert {record.status for record in results.records} <= {"completed", "stopped"}
    trained = Counter((step["trial"], step["rung"]) for step in replay.steps(tmp_path))
    assert all(count == 1 for (trial, _), count in trained.items() if trial in kept)
    assert sum(trained.values()) - len(trained) <= 1  # the rung that was interrupted
    looked_at = [file for place in (folder, logs) for file in place.rglob("*") if file.is_file()]
    assert len(looked_at) > 20
    assert [file for file in looked_at if TOKEN.encode() in file.read_bytes()] == []


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_wrong_with_the_cluster_s_files_is_told_there(
    there: tuple[str, Path], tmp_path: Path
) -> None:
    address, _ = there
    file = plant(tmp_path)
    with command(address, "run", str(file), "--set", "task.data.train=/nodes/train.jsonl") as client:
        printed, _ = client.communicate()
    assert client.returncode == 2
    assert "Error: " in printed
    assert "task.data.train: no such file; tried /nodes/train.jsonl" in printed
    assert not (tmp_path / "runs").exists()
