import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import gethostname

import pytest

from search.records.run_folder import RunFolder
from trainables.errors import InputError
from trainables.storage.atomic import write_text

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from search.records.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_until_the_first_is_gone_even_if_killed(tmp_path, holder):
    folder = RunFolder(tmp_path / "run")
    message = f"Another tuneoff process is running in {folder.root}: process {holder.pid} on {gethostname()}"
    with pytest.raises(InputError, match=message), folder.locked():
        pytest.fail("two processes hold the folder")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with folder.locked():
        pass


def test_the_lock_is_given_back(tmp_path):
    folder = RunFolder(tmp_path / "new" / "run")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), folder.locked():
            raise ZeroDivisionError
    with folder.locked(), pytest.raises(InputError, match="Another"), folder.locked():
        pytest.fail("held twice")


@pytest.mark.parametrize("place", ["file", "file/run"])
def test_a_folder_that_cannot_be_written_is_told(tmp_path, place):
    (tmp_path / "file").touch()
    message = f"{tmp_path / place} cannot be written .* --folder, or set `storage`"
    with pytest.raises(InputError, match=message), RunFolder(tmp_path / place).locked():
        pytest.fail("there is no such folder")


def test_a_path_relative_to_the_working_directory_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(Path("runs/mine"))
    monkeypatch.chdir("/")
    assert folder.root == tmp_path / "runs/mine"


def test_records_are_read_back_as_written(searched):
    assert len(searched.folder.read_records()) == 12
    record = searched.trial("lora", 4, [None, 12.25], error="Umlaute: äöü \u2028 \x00")
    assert searched.folder.read_records()[-1 - 4] == record


def test_what_a_killed_writer_leaves_behind_is_no_record(finished):
    before = finished.folder.read_records()
    record = finished.folder.record_file(before[-1]).read_text()
    write_text(finished.root / "trials/lora/.0009.json.k3x", record)
    write_text(finished.root / "trials/lora/.0009.json", record)
    write_text(finished.root / "final/lora/.seed-0.k3x/record.json", record)
    write_text(finished.root / "trials/lora/notes.txt", "by hand")
    assert finished.folder.read_records() == before


def test_a_new_folder_has_no_records(tmp_path):
    assert RunFolder(tmp_path / "new").read_records() == []
    assert RunFolder(tmp_path / "new").read_provenance() == {}


@pytest.mark.parametrize("content", [b'{"data": ', b"", b"\xff\xfe\xfa"])
def test_a_provenance_that_cannot_be_read_is_told_with_its_file(bare, content):
    bare.folder.provenance_file.write_bytes(content)
    with pytest.raises(InputError, match=rf"{bare.folder.provenance_file} cannot be read .*Move it away"):
        bare.folder.read_provenance()


def test_no_two_records_share_a_path(finished):
    records = finished.folder.read_records()
    for path in (finished.folder.record_file, finished.folder.checkpoints, finished.folder.output):
        assert len({path(record) for record in records}) == len(records)
        assert all(path(record).is_relative_to(finished.root) for record in records)
