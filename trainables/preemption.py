"""Notice that this machine is about to be taken away: a trial saves its state and resumes elsewhere.

Clouds announce that they take a spot machine 30 to 120 s before; Kubernetes, systemd and `ray stop` pass that
on to each process as SIGTERM.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

_NOTICE = Event()


class Preempted(Exception):
    """The machine is taken away: no failure of the trial, whose work is in its checkpoint."""


@contextmanager
def heeding_notice() -> Iterator[None]:
    """Let the process survive SIGTERM within the block; `check_notice` raises then.

    In the main thread only. A notice is not forgotten with the block: no further work is begun here.
    """
    previous = signal.signal(signal.SIGTERM, lambda number, frame: _NOTICE.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def is_noticed() -> bool:
    """Return whether this machine is about to be taken away."""
    return _NOTICE.is_set()


def check_notice() -> None:
    """Raise if this machine is about to be taken away; to be called where work may stop.

    Raises:
        Preempted: this machine is about to be taken away.
    """
    if is_noticed():
        raise Preempted("SIGTERM announced that the machine is taken away.")
