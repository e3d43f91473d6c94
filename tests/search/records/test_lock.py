"""One process a run folder, on file systems with locks and without."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from socket import gethostname
from threading import Event
from types import FrameType

import filelock
import psutil
import pytest

from search.records import lock
from tests.search.contenders import Contender, holders
from trainables.errors import InputError

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[3]
HOLDER = """
import errno, sys, time
from pathlib import Path
from search.records import lock

def refuse(descriptor, operation):
    raise OSError(errno.ENOLCK, "No locks available")

with lock.held(Path(sys.argv[1]), flock=refuse, lease_seconds=float(sys.argv[2])):
    print("held", flush=True)
    time.sleep(60)
"""
LEASE_SECONDS = 2.0


def refuse(descriptor: int, operation: int) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder, on a file system that knows no locks."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path), str(LEASE_SECONDS)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def leased(folder: Path) -> None:
    with lock.held(folder, flock=refuse, lease_seconds=LEASE_SECONDS):
        pass


def test_the_lock_names_its_holder(tmp_path):
    with lock.held(tmp_path):
        holder = json.loads((tmp_path / ".lock").read_bytes())
        started = psutil.Process().create_time()
        assert holder == {"host": gethostname(), "pid": os.getpid(), "started": started}
        assert lock.is_held(tmp_path)
    assert not lock.is_held(tmp_path)


@pytest.mark.parametrize(
    ("content", "who"),
    [
        (b'{"host": "there", "pid": 7, "started": 1.5}', ": process 7 on there."),
        (b"", "."),
        (b'{"host": "th', "."),
        (b"\xff\x00", "."),
        (b"{}", "."),
    ],
)
def test_a_holder_that_has_not_said_who_it_is_is_respected_too(tmp_path, content, who):
    with lock.held(tmp_path):
        (tmp_path / ".lock").write_bytes(content)
        with pytest.raises(InputError) as error, lock.held(tmp_path):
            pytest.fail("held twice")
    assert str(error.value) == f"Another tuneoff process is running in {tmp_path}{who}"


def test_what_an_ended_holder_wrote_is_replaced(tmp_path):
    (tmp_path / ".lock").write_bytes(b"x" * 500)
    with lock.held(tmp_path):
        assert json.loads((tmp_path / ".lock").read_bytes())["pid"] == os.getpid()


def test_without_locks_a_living_holder_is_named_and_a_dead_one_is_succeeded_at_once(tmp_path, holder):
    message = f"Another tuneoff process is running in {tmp_path}: process {holder.pid} on "
    with pytest.raises(InputError, match=message):
        leased(tmp_path)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    leased(tmp_path)
    leased(tmp_path)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have this process be on another machine, where the holder's process id means nothing."""

    def move() -> None:
        monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")

    return move


def test_without_locks_another_machine_waits_for_a_sign_of_life(tmp_path, holder, elsewhere):
    elsewhere()
    with pytest.raises(InputError, match=f"process {holder.pid} on {gethostname()}"):
        leased(tmp_path)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    leased(tmp_path)


def test_a_lock_that_is_a_link_is_refused_and_what_it_points_to_left(tmp_path):
    target, folder = tmp_path / "precious", tmp_path / "run"
    folder.mkdir()
    (folder / ".lock").symlink_to(target)
    for content in (None, "precious"):
        if content is not None:
            target.write_text(content)
        with pytest.raises(InputError, match=r"run/\.lock is a link"), lock.held(folder):
            pytest.fail("held through a link")
        with pytest.raises(InputError, match=r"run/\.lock is a link"):
            lock.is_held(folder)
        assert (target.read_text() if target.exists() else None) == content


def test_a_lock_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / ".lock")
    for use in (lock.is_held, lambda folder: lock.held(folder).__enter__()):
        with pytest.raises(InputError, match=r"\.lock is no file"):
            use(tmp_path)


def takes_the_lease(frame: FrameType) -> bool:
    file = Path(frame.f_code.co_filename)
    return file.parent == Path(filelock.__file__).parent and file.name in (
        "_soft.py",
        "_lease.py",
        "_util.py",
    )


@pytest.mark.slow
def test_without_locks_of_two_that_judged_a_lease_stale_one_takes_it(tmp_path, holder):
    """Whichever line the first is stopped at while the other comes and goes on."""
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    left, found = (tmp_path / ".lease").read_bytes(), Counter()
    for stop in count(1):
        folder = tmp_path / str(stop)
        folder.mkdir()
        (folder / ".lease").write_bytes(left)
        hold = partial(lock.held, folder, flock=refuse, lease_seconds=LEASE_SECONDS)
        first, second = (Contender(hold, takes_the_lease, "line", at) for at in (stop, 0))
        found[holders(first, second)] += 1
        if not first.was_stopped:
            break
    assert stop > 20
    assert set(found) == {1}


def test_without_locks_a_process_whose_lease_was_taken_over_is_told_to_stop(tmp_path):
    stopped = Event()
    before = signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())
    try:
        with lock.held(tmp_path, flock=refuse, lease_seconds=0.3):
            (tmp_path / "theirs").write_text("theirs")
            (tmp_path / "theirs").replace(tmp_path / ".lease")
            while not stopped.is_set():
                time.sleep(0.01)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (tmp_path / ".lease").read_text() == "theirs"


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_another_error_of_the_lock_is_not_taken_for_a_missing_one(tmp_path, number):
    def fail(descriptor: int, operation: int) -> None:
        raise OSError(number, "broken")

    with pytest.raises(OSError, match="broken"), lock.held(tmp_path, flock=fail):
        pytest.fail("not held")
