"""A command that goes to a cluster as a Ray job: what is told here, and what happens there."""

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import NamedTuple
from urllib.request import Request, urlopen

import psutil
import pytest
from ray.job_submission import JobDetails

from search.cluster import remote
from search.config.sweep import SweepError, load_sweep
from search.console import app as cli
from search.records.results import load_results
from search.records.run_folder import RunFolder
from tests.ray_cluster import head_with_jobs
from tests.search import replay
from trainables.errors import InputError

ROOT = Path(__file__).parents[3]
NOBODY = "http://127.0.0.1:1"
PLANTED = {"HF_TOKEN": "hf_planted_token_0123456789", "AWS_SECRET_ACCESS_KEY": "planted/key/0123456789"}
OF_THE_HEAD = {"HF_TOKEN": "hf_token_of_the_head_0123456789"}
AUTHENTICATION = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "planted_ray_token_0123456789abcdef0123456789"}


CLIENT = """
import signal, sys
# the packages that ray[default] brings
for name in ("aiohttp_cors", "colorful", "opencensus", "opentelemetry", "prometheus_client", "smart_open"):
    sys.modules[name] = None
from search.cluster import remote
from search.console import app as cli
signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts the tests may ignore it
remote.MODULE, remote.QUIET_SECONDS = "tests.search.drive", 10
cli.main()
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "")  # put back after what the command makes of it


def plant(folder: Path, **changes: object) -> Path:
    """The file of a sweep, its storage beside it."""
    settings = {"storage": str(folder / "runs"), "final__seeds": 1, **changes}
    return replay.plant_sweep(folder, seconds=1.0, concurrent=1, **settings) / "sweep.yaml"


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({"storage": "runs"}, [], "storage: must be a whole path or a URL.*; got runs/replayed"),
        ({}, ["--folder", "here"], "--folder: must be a whole path or a URL.*; got here"),
        ({}, ["--folder", "s3://key:secret@bucket/runs"], "must be a bucket and a path only"),
        ({"search__warm_start": "runs/a"}, [], "search.warm_start: must be a whole path"),
        ({}, ["--set", "final.seeds=0"], "final.seeds"),
        ({}, [], f"--address {NOBODY}: no Ray cluster takes jobs there .*Failed to connect"),
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


@pytest.mark.parametrize("address", ["ray://head:10001", "ray://head", "grpc://head:1"])
def test_another_way_into_the_cluster_is_told_the_port_of_the_dashboard(address):
    with pytest.raises(InputError, match=f"--address {address}: .* Use --address http://head:8265"):
        cli.app(["resume", "/runs/mine", "--address", address], standalone_mode=False)


def test_nothing_but_tuneoff_is_needed_on_this_side():
    command = [sys.executable, "-c", CLIENT, "resume", "/runs/mine", "--address", NOBODY]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "no Ray cluster takes jobs there" in result.stderr


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


def test_the_credentials_that_are_not_sent_are_named(monkeypatch, tmp_path):
    for name in remote.FORWARDED:
        monkeypatch.delenv(name, raising=False)
    for name in ("HF_TOKEN", "STUDY_PASSWORD", "OTHER_TOKEN"):
        monkeypatch.setenv(name, "planted")
    studies = "postgresql://me:${STUDY_PASSWORD}@there/studies"
    assert remote.unsent(load_sweep(plant(tmp_path, search__study_storage=studies))) == [
        "HF_TOKEN",
        "STUDY_PASSWORD",
    ]
    assert remote.unsent(None) == ["HF_TOKEN"]


@pytest.mark.parametrize(
    ("status", "driver", "signals", "code"),
    [
        ("SUCCEEDED", 0, [], 0),
        ("FAILED", 2, [], 2),
        ("FAILED", -9, [], 137),
        ("FAILED", None, [], 1),
        ("STOPPED", None, [signal.SIGINT], 130),
        ("STOPPED", None, [], 143),
    ],
)
def test_the_exit_code_is_that_of_a_shell_there(capsys, status, driver, signals, code):
    job = JobDetails(type="SUBMISSION", status=status, entrypoint="", message="died", driver_exit_code=driver)
    assert remote._exit_code(job, signals) == code
    assert ("The job is FAILED: died\n" in capsys.readouterr().out) == (code == 1)


@pytest.fixture(scope="module")
def there() -> Iterator[tuple[str, Path]]:
    """The address of a cluster's job server, which asks for a token, and the folder of its head."""
    given = {"PYTHONPATH": str(ROOT), **OF_THE_HEAD, **AUTHENTICATION}  # the path: of the replayed trials
    with head_with_jobs(**given) as head:
        yield head


class Place(NamedTuple):
    address: str
    """Of the job server."""
    head: Path
    file: Path
    """The sweep."""
    folder: Path
    """Its run folder."""


@pytest.fixture
def place(there: tuple[str, Path], tmp_path: Path) -> Place:
    return Place(*there, plant(tmp_path), tmp_path / "runs/replayed")


@contextmanager
def command(address: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`tuneoff` as on a machine outside, with learning curves for training there."""
    misleading = {"RAY_ADDRESS": NOBODY}  # the option comes before it
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT, *arguments, "--address", address],
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT), **PLANTED, **AUTHENTICATION, **misleading},
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


class Wire:
    """Another address for the same server, whose connections may break or fall silent."""

    def __init__(self, address: str) -> None:
        self._host, port = address.removeprefix("http://").split(":")
        self._port = int(port)
        self._ends = [socket.create_server((self._host, 0))]
        self._deaf: set[socket.socket] = set()
        self.address = f"http://{self._host}:{self._ends[0].getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Neither these connections nor others are there any more."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()
        for end in self._ends:
            end.close()

    def lose(self) -> None:
        """Nothing passes these connections any more, of which neither side is told; others may be made."""
        self._deaf.update(self._ends[1:])

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                pair = [self._ends[0].accept()[0], socket.create_connection((self._host, self._port))]
                self._ends.extend(pair)
                for source, target in (pair, pair[::-1]):
                    Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if source not in self._deaf:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def wire(address: str) -> Iterator[Wire]:
    between = Wire(address)
    try:
        yield between
    finally:
        between.close()


def resumed(place: Place, disturb: Callable[[Wire], None]) -> tuple[int, str]:
    """The exit code and the output of a resume whose connection is disturbed once a trial reports."""
    with wire(place.address) as between, command(between.address, "resume", str(place.folder)) as client:
        printed = read_until(client, " after ")
        disturb(between)
        printed += client.communicate()[0]
    return client.returncode, printed


def jobs(address: str) -> bytes:
    """All that the job server tells of its jobs."""
    token = {"Authorization": f"Bearer {AUTHENTICATION['RAY_AUTH_TOKEN']}"}
    with urlopen(Request(f"{address}/api/jobs/", headers=token)) as answer:
        return bytes(answer.read())


def assert_no_secret_in(told: bytes, *folders: Path) -> None:
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 20
    assert any("job-driver-raysubmit_" in file.name for file in files)
    public = b"".join([told, *(file.read_bytes() for file in files)])
    secrets = [*PLANTED.values(), *OF_THE_HEAD.values(), AUTHENTICATION["RAY_AUTH_TOKEN"]]
    assert [secret for secret in secrets if secret.encode() in public] == []


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sweep_is_run_there_interrupted_left_alone_and_shown_again(place: Place, tmp_path: Path) -> None:
    address, head, file, folder = place
    with command(address, "run", str(file)) as client:
        printed = read_until(client, "completed: ")
        (driver,) = drivers(folder)
        assert driver.environ()["HF_TOKEN"] == OF_THE_HEAD["HF_TOKEN"]
        client.send_signal(signal.SIGINT)
        printed += client.communicate()[0]
    assert client.returncode == 130
    assert not driver.is_running()
    assert printed.startswith("Not sent: HF_TOKEN, AWS_SECRET_ACCESS_KEY. All users of the cluster can read")
    assert "On the cluster, to whose nodes all paths belong: job raysubmit_" in printed
    assert f"Go on with: tuneoff resume {folder}" in printed
    kept = {record.id for record in RunFolder(folder).read_records() if record.status != "running"}
    assert kept

    code, printed = resumed(place, Wire.cut)
    assert code == 1
    assert "The connection to the cluster broke: " in printed
    assert printed.endswith("The sweep goes on there; the same command shows it.\n")
    (driver,) = drivers(folder)

    code, printed = resumed(place, Wire.lose)
    assert code == 0
    assert f"runs on {folder} already: this shows it" in printed
    assert printed.count("Run folder: ") == 1
    assert printed.rstrip().endswith(f"Report: {folder}/report/report.html")
    assert not driver.is_running()

    results = load_results(folder)
    assert len(results.records) == 2 * (4 + 1) + 1
    assert {record.status for record in results.records} <= {"completed", "stopped"}
    trained = Counter((step["trial"], step["rung"]) for step in replay.steps(tmp_path))
    assert all(count == 1 for (trial, _), count in trained.items() if trial in kept)
    assert sum(trained.values()) - len(trained) <= 1  # the rung that was interrupted
    assert_no_secret_in(jobs(address), folder, head)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_second_signal_leaves_at_once_and_the_sweep_ends_in_order(place: Place) -> None:
    address, head, file, folder = place
    with command(address, "run", str(file)) as client:
        read_until(client, " begins")
        (driver,) = drivers(folder)
        assert "/py_modules_files/" in driver.environ()["PYTHONPATH"]  # the code that was sent
        client.send_signal(signal.SIGTERM)
        client.send_signal(signal.SIGINT)
        printed, _ = client.communicate()
    assert client.returncode in (130, 143)  # of those that wait the system delivers the lower one first
    assert "Left: the sweep ends on the cluster by itself." in printed
    psutil.wait_procs([driver])
    logs = "".join(log.read_text() for log in head.rglob("job-driver-*.log"))
    assert f"Interrupted; every finished rung is kept. Go on with: tuneoff resume {folder}" in logs


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_wrong_with_the_cluster_s_files_is_told_there(place: Place) -> None:
    bad_data = ["--set", "task.data.train=/nodes/train.jsonl"]
    with command(place.address, "run", str(place.file), *bad_data) as client:
        printed, _ = client.communicate()
    assert client.returncode == 2
    assert "Error: " in printed
    assert "task.data.train: no such file; tried /nodes/train.jsonl" in printed
    assert not place.folder.parent.exists()


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_that_asks_for_a_token_says_what_is_missing(there: tuple[str, Path]) -> None:
    with pytest.raises(InputError, match=r"no Ray cluster takes jobs there .*RAY_AUTH_MODE is currently"):
        cli.app(["resume", "/runs/mine", "--address", there[0]], standalone_mode=False)
