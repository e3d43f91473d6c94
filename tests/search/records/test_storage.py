"""Run folders in an object store: S3 as moto's server speaks it, on this machine."""

import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Any

import boto3
import pytest
import torch
from moto.server import ThreadedMotoServer
from upath import UPath

from search.console import app as cli
from search.engine.runner import run
from search.records import lease
from search.records.lease import Lease
from tests.search import replay
from tests.search.contenders import Contender, holders
from tests.search.journal import journal
from trainables.errors import InputError
from trainables.storage import checkpoint
from trainables.storage.atomic import new_file, new_folder, write_text
from trainables.storage.place import bytes_of, contents, free_bytes, local_copy, place, refuse_secrets, remove
from trainables.storage.sums import SUMS

BUCKET = "sweeps"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The URL of an empty bucket; credentials and endpoint are in the environment, as for S3 itself."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "planted-id",
            "AWS_SECRET_ACCESS_KEY": "planted-secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            environment.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield f"s3://{BUCKET}"
    server.stop()


def keys(prefix: str) -> list[str]:
    """What lies under a prefix, asked of S3 itself."""
    listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/")
    return [found["Key"].removeprefix(f"{prefix}/") for found in listed.get("Contents", [])]


def test_a_text_is_written_whole_replaced_and_read_back(store: str) -> None:
    file = place(f"{store}/texts/a.json")
    for text in ("é\n", "two"):
        write_text(file, text)
        body = boto3.client("s3").get_object(Bucket=BUCKET, Key="texts/a.json")["Body"]
        assert body.read().decode() == file.read_text(encoding="utf-8") == text
    assert keys("texts") == ["a.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_breaks_a_file_leaves_the_old_one(store: str, error: type[BaseException]) -> None:
    file = place(f"{store}/broken/{error.__name__}")
    write_text(file, "old")
    with pytest.raises(error), new_file(file) as draft:  # noqa: PT012
        draft.write_text("half")
        raise error
    assert file.read_text() == "old"


def test_a_folder_replaces_the_old_one(store: str) -> None:
    folder = place(f"{store}/folders/a")
    for names in (("z", "deep/a"), ("2", "1")):
        with new_folder(folder) as draft:
            for name in names:
                write_text(draft / name, name)
        assert sorted(keys("folders/a")) == sorted(names)


def test_a_folder_is_copied_listed_and_removed(store: str) -> None:
    folder = place(f"{store}/copied/a")
    for name in ("b", "deep/c"):
        write_text(folder / name, name)
    with local_copy(folder) as copy:
        assert (copy / "deep/c").read_text() == "deep/c"
    with local_copy(folder / "b") as copy:
        assert copy.read_text() == "b"
    assert not copy.exists()
    assert contents([folder / "b", folder / "deep/c"]) == [b"b", b"deep/c"]
    remove(folder)
    remove(folder)
    assert keys("copied") == []
    with pytest.raises(FileNotFoundError), local_copy(folder / "b"):
        pass


def test_a_checkpoint_whose_upload_broke_off_is_passed_over(store: str) -> None:
    root, damage = place(f"{store}/checkpoints/lora/0001"), []
    for examples in (3, 9):
        checkpoint.write(root, examples, {"w": torch.full((2,), float(examples))}, {"examples": examples})
    (root / f"{9:012d}" / SUMS).unlink()  # the last to be uploaded
    found = checkpoint.read(root, damage.append)
    assert found is not None
    assert (found[0]["w"].tolist(), found[1]) == ([3.0, 3.0], {"examples": 3})
    assert len(damage) == 1
    assert checkpoint.read(place(f"{store}/checkpoints/none")) is None


def test_the_last_file_of_a_folder_is_uploaded_last(store: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "werkzeug")
    with new_folder(place(f"{store}/sealed")) as draft:
        for name in ("b", "c", "a"):
            write_text(draft / name, name)
            time.sleep(0.01)
    requests = "".join(record.getMessage() for record in caplog.records)  # the server's own log
    assert re.findall(rf"PUT /{BUCKET}/sealed/(\w)", requests) == ["b", "c", "a"]


OTHER = {"host": "elsewhere", "pid": 7, "started": 0.0, "token": "theirs"}
DEAD = {**OTHER, "host": socket.gethostname(), "pid": 2**22 + 1}
"""Another machine's process, and one of this machine that is no more."""


def leased(url: str) -> UPath:
    return UPath(f"{url}/.leases", use_listings_cache=False)


def plant_term(folder: UPath, number: int, content: dict[str, Any]) -> None:
    write_text(folder / f"{number:08}", json.dumps(content))


def asks_the_store(frame: FrameType) -> bool:
    code = frame.f_code
    return code.co_filename == lease.__file__ and code.co_name in ("_terms", "_read", "_write", "_remove")


def last_term(folder: UPath) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bytes_of(max(folder.iterdir(), key=str)))
    return found


def test_one_process_holds_a_folder_and_a_lease_that_stands_still_is_taken_over(store: str) -> None:
    folder = leased(f"{store}/leased")
    lease = Lease(folder, renewal_seconds=0.05)
    assert not lease.is_held()
    with lease.held():
        assert lease.is_held()
        with pytest.raises(InputError, match=f"process {os.getpid()} on "), lease.held():
            pytest.fail("held twice")
    assert not lease.is_held()
    plant_term(folder, 7, OTHER)  # of a machine that is gone
    with lease.held():
        assert last_term(folder)["pid"] == os.getpid()
    plant_term(folder, 20, DEAD)
    with Lease(folder, renewal_seconds=60).held():
        assert last_term(folder)["pid"] == os.getpid()
    assert keys("leased/.leases") == ["00000021"]


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(600)
def test_of_two_that_judged_a_lease_stale_one_takes_it(store: str) -> None:
    """Wherever either is stopped while the other goes on."""
    found: Counter[int] = Counter()

    def contend(*stops: int) -> list[bool]:
        """Whether each was stopped, and did not come to its end before."""
        folder = leased(f"{store}/contended/{found.total()}")
        plant_term(folder, 1, DEAD)
        hold = Lease(folder, renewal_seconds=600).held
        both = [Contender(hold, asks_the_store, "call", stop) for stop in stops]
        found[holders(*both)] += 1
        return [one.was_stopped for one in both]

    for first in count(1):
        for second in count(1):
            was_stopped = contend(first, second)
            if not all(was_stopped):
                break
        if not was_stopped[0]:
            break
    assert found.total() > 20
    assert set(found) == {1}


@pytest.mark.faults
def test_who_judged_a_lease_stale_long_ago_does_not_take_it_from_its_third_holder(store: str) -> None:
    """Until it has begun a term itself, which the others then respect."""
    for stop in count(1):
        folder = leased(f"{store}/late/{stop}")
        plant_term(folder, 1, DEAD)
        hold = Lease(folder, renewal_seconds=600).held
        late = Contender(hold, asks_the_store, "call", stop)
        late.stand()
        if last_term(folder) != DEAD:
            break
        with hold():
            pass
        with hold():
            late.settle()
            assert not late.holds
    late.settle()
    assert late.holds
    late.end()
    assert stop > 3


def test_a_process_whose_lease_was_taken_over_is_told_to_stop(store: str) -> None:
    folder = leased(f"{store}/lost")
    stopped = Event()
    before = signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())
    try:
        with Lease(folder, renewal_seconds=0.05).held():
            plant_term(folder, 2, OTHER)
            while not stopped.is_set():
                time.sleep(0.01)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert last_term(folder) == OTHER


def test_a_lease_of_another_machine_that_is_renewed_is_respected(store: str) -> None:
    folder = leased(f"{store}/renewed")
    done = Event()

    def renew() -> None:
        for renewals in count(1):
            plant_term(folder, 1, {**OTHER, "renewals": renewals})
            if done.wait(0.02):
                return

    renewing = Thread(target=renew)
    renewing.start()
    try:
        while not folder.exists():
            time.sleep(0.01)
        message = f"running in {store}/renewed: process 7 on elsewhere"
        with pytest.raises(InputError, match=message), Lease(folder, renewal_seconds=0.2).held():
            pytest.fail("it is held elsewhere")
    finally:
        done.set()
        renewing.join()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://key:secret@bucket/runs", "bucket and a path only: credentials are read from the environment"),
        ("s3://bucket/runs?token=secret", "bucket and a path only"),
        ("nowhere://bucket/runs", "nowhere:// is no storage that is known"),
        ("ftp://bucket/runs", "ftp:// is no storage that is known"),
        ("zip://a.zip", "zip:// is no storage that is known"),
        ("s3://[", "is neither a path nor a URL"),
        ("gs://bucket/runs", r"gs:// cannot be opened: .*Install tuneoff\[gcs\]"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_its_secret(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as told:
        place(url)
    assert "secret" not in str(told.value)


def test_a_store_that_does_not_let_us_in_is_told_in_words(tmp_path: Path) -> None:
    nothing = {name: str(tmp_path / "none") for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")}
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    result = subprocess.run(
        [sys.executable, "-m", "search.console.app", "report", "s3://nobody/runs"],
        env={**others, **nothing, "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("Error: s3://nobody/runs cannot be reached (NoCredentialsError: ")


def test_a_sweep_file_with_a_secret_in_its_storage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bucket and a path only"):
        replay.sweep(tmp_path, storage="s3://key:secret@bucket/runs")
    refuse_secrets("runs/a?b@c")  # a path may be called anything


def test_paths_are_absolute_and_disks_have_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert place("runs/a") == place(Path("runs/a")) == tmp_path / "runs/a"
    assert place(f"file://{tmp_path}/a") == tmp_path / "a"
    assert free_bytes(tmp_path / "not/yet") == shutil.disk_usage(tmp_path).free
    assert free_bytes(place("memory://a")) is None


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sweep_in_an_object_store_is_run_reported_extended_and_exported(
    store: str, cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = replay.plant_task(tmp_path)
    few = {"search__trials_per_method": 2, "final__seeds": 1, "resources__concurrent_trials": 1}
    sweep = replay.sweep(task, storage=f"{store}/runs", **few)
    here = run(replay.sweep(task, **few), tmp_path / "here", address=cluster, trainable=replay.Replay)
    there = run(sweep, address=cluster, trainable=replay.Replay)
    told = ["method", "number", "status", "score"]
    assert there.trials[told].equals(here.trials[told])
    assert there.finals["score"].tolist() == here.finals["score"].tolist()
    assert there.predictions("lora")["prediction"].tolist() == ["zero"]
    found = keys("runs/replayed")
    assert {"sweep.yaml", "provenance.json", "study.log", "report/report.html"} <= set(found)
    assert [key for key in found if key.startswith(".")] == [".leases/00000001"]  # has ended
    assert not [key for key in found if key.startswith("tune/") or "/." in key]
    with local_copy(place(f"{store}/runs/replayed/study.log")) as copy:
        studies = journal(copy).get_all_studies()
    assert sorted(study.study_name for study in studies) == ["replayed/full", "replayed/lora"]

    before = len(replay.steps(task))
    larger = sweep.model_copy(update={"search": sweep.search.model_copy(update={"trials_per_method": 3})})
    extended = run(larger, address=cluster, trainable=replay.Replay)
    assert len(extended.trials) == 6
    assert len(replay.steps(task)) - before <= 2 * 3 + 2 * 3  # the new trials, and finals of new winners

    folder = f"{store}/runs/replayed"
    monkeypatch.setattr(sys, "argv", ["tuneoff", "report", folder])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    monkeypatch.setattr(sys, "argv", ["tuneoff", "resume", folder])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    monkeypatch.setattr(
        sys, "argv", ["tuneoff", "export", folder, "--method", "lora", "--to", str(tmp_path / "a")]
    )
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    assert (tmp_path / "a/adapter_model.safetensors").read_text() == "weights"
    for key in keys("runs/replayed"):
        body = boto3.client("s3").get_object(Bucket=BUCKET, Key=f"runs/replayed/{key}")["Body"].read()
        assert b"planted-secret" not in body
