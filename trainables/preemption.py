"""Notice that this machine is about to go: a trial saves what it has, and goes on elsewhere.

Clouds announce that they take a spot machine 30 to 120 s before; Kubernetes, systemd and `ray stop` pass that
on to each process as SIGTERM.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

_NOTICE = Event()


class Preempted(Exception):
    """The machine is taken away; no fault of the trial, whose checkpoint has what it had done."""


@contextmanager
def heeding_notice() -> Iterator[None]:
    """For the length of the block SIGTERM leaves the process alive, and `check_notice` raises.

    In the main thread only. A notice is not forgotten with the block: no further work is begun here.
    """
    previous = signal.signal(signal.SIGTERM, lambda number, frame: _NOTICE.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def is_noticed() -> bool:
    """Whether this machine was announced to go."""
    return _NOTICE.is_set()


def check_notice() -> None:
    """To be called where work may be left off.

    Raises:
        Preempted: this machine was announced to go.
    """
    if is_noticed():
        raise Preempted("SIGTERM announced that the machine is taken away.")
