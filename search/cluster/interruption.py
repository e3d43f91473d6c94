"""Ctrl-C and SIGTERM: the first ends the sweep in order, the second ends the process at once.

Nothing is lost either way: records are whole at every moment, and Ray's processes follow their driver.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

HEARD = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(farewell: str, leave: Callable[[int], Any] = os._exit) -> Iterator[None]:
    """For the length of the block the first signal raises KeyboardInterrupt with the exit code of a shell.

    The next one prints `farewell` and leaves with the same code. A signal that the process was started to
    ignore, as by nohup, stays ignored.
    """
    codes: list[int] = []

    def hear(number: int, frame: object) -> None:
        codes.append(128 + number)
        if len(codes) == 1:
            raise KeyboardInterrupt(*codes)
        os.write(1, f"\n{farewell}\n".encode())
        leave(codes[0])

    with hearing(hear):
        try:
            yield
        except KeyboardInterrupt as interrupt:
            raise KeyboardInterrupt(*codes[:1]) from interrupt  # Ray puts its own in place of a handler's


@contextmanager
def hearing(hear: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """For the length of the block `hear` handles both signals, but for one that the process was to ignore."""
    heard = [number for number in HEARD if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, hear) for number in heard}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
