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
    """Raise KeyboardInterrupt, with a shell's exit code, on the first signal during the block.

    Then `farewell` is printed, once: when the block has ended in order, or at a second signal, which ends the
    process with the same code. A signal that the process was started to ignore, as by nohup, stays ignored.
    """
    codes: list[int] = []
    said = False

    def hear(number: int, frame: object) -> None:
        codes.append(128 + number)
        if len(codes) == 1:
            raise KeyboardInterrupt(*codes)
        if not said:
            os.write(1, f"\n{farewell}\n".encode())
        leave(codes[0])

    with hearing(hear):
        try:
            yield
        except KeyboardInterrupt as interrupt:
            print(farewell, flush=True)  # noqa: T201 - the last line of a command
            said = True
            raise KeyboardInterrupt(*codes[:1]) from interrupt  # Ray puts its own in place of a handler's


@contextmanager
def hearing(hear: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let `hear` handle both signals during the block, except one that the process was started to ignore."""
    heard = [number for number in HEARD if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, hear) for number in heard}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
