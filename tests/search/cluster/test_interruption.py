"""The first signal raises, the second leaves at once."""

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from search.cluster.interruption import interruptible

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[3]
STUBBORN = """
import signal, time
from search.cluster.interruption import interruptible
signal.signal(signal.SIGINT, signal.default_int_handler)
with interruptible("go on with: resume"):
    try:
        print("begun", flush=True)
        time.sleep(60)
    except KeyboardInterrupt as interrupt:
        print("ends in order", interrupt.args, flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_leaves_with_the_exit_code_of_a_shell(number):
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert process.stdout.readline() == f"ends in order ({128 + number},)\n"
        process.send_signal(number)
        assert process.wait(timeout=10) == 128 + number
        assert process.stdout.read() == "\ngo on with: resume\n"


def test_handlers_are_given_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt) as interrupt, interruptible("bye"):
        signal.raise_signal(signal.SIGTERM)
    assert interrupt.value.args == (143,)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_the_code_is_kept_where_another_interrupt_takes_the_place_of_the_first():
    def replace() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt) as interrupt, interruptible("bye"):
        replace()
    assert interrupt.value.args == (143,)


@pytest.fixture
def heeded():
    """SIGINT as at a terminal, also where the tests themselves run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_farewell_is_printed_once_whenever_the_second_signal_comes(heeded, capfd):
    left = []
    with pytest.raises(KeyboardInterrupt), interruptible("go on", left.append):
        signal.raise_signal(signal.SIGINT)
    assert (left, capfd.readouterr().out) == ([], "go on\n")
    with interruptible("go on", left.append):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert (left, capfd.readouterr().out) == ([130], "\ngo on\n")


def test_what_nohup_had_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible("bye"):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
