"""Two that want the same lock: each is stopped at every step while the other goes on."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from threading import Event, Thread
from types import FrameType
from typing import Any

from trainables.errors import InputError

PATIENCE_SECONDS = 1.0
"""Who has neither come to its step nor to its end by then waits; nothing is asserted of when."""


class Contender(Thread):
    """Holds what `hold` gives until `end`; stops once, before the `stop`-th step that it takes.

    A step is an `event` as `sys.settrace` has it, "call" or "line", in one of those frames that `is_ours`.
    """

    def __init__(
        self,
        hold: Callable[[], AbstractContextManager[None]],
        is_ours: Callable[[FrameType], bool],
        event: str,
        stop: int,
    ) -> None:
        super().__init__(daemon=True)
        self._hold, self._is_ours, self._event, self._stop_at = hold, is_ours, event, stop
        self._count = count(1)
        self.was_stopped = self.holds = False
        self.error: BaseException | None = None
        self._stands, self._go, self._settled, self._end = Event(), Event(), Event(), Event()

    def run(self) -> None:
        sys.settrace(self._trace)
        try:
            with self._hold():
                sys.settrace(None)
                self.holds = True
                self._settle()
                self._end.wait()
        except InputError:
            pass
        except BaseException as error:  # noqa: BLE001 (told in the test's own thread)
            self.error = error
        finally:
            sys.settrace(None)
            self._settle()

    def stand(self) -> None:
        """Begin, and wait until it is stopped, holds or is refused, or waits for another that is stopped."""
        self.start()
        self._stands.wait(PATIENCE_SECONDS)

    def settle(self) -> None:
        """Let it go on until it holds or is refused."""
        self._go.set()
        self._settled.wait()
        if self.error is not None:
            raise self.error

    def end(self) -> None:
        self._end.set()
        self.join()

    def _settle(self) -> None:
        self._settled.set()
        self._stands.set()

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not self._is_ours(frame):
            return None
        if event == self._event and next(self._count) == self._stop_at:
            self.was_stopped = True
            self._stands.set()
            self._go.wait()
        return self._trace


def holders(*contenders: Contender) -> int:
    """How many hold it when each in turn has run to its stop, and then each in turn to its end."""
    for contender in contenders:
        contender.stand()
    for contender in contenders:
        contender.settle()
    held = sum(contender.holds for contender in contenders)
    for contender in contenders:
        contender.end()
    return held
