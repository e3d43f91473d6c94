"""A deadline that the user sets: when it has passed, no trial begins."""

import time
from collections.abc import Callable


class TimeLimit:
    """Seconds that a command may take, from when this is made; a resume has them anew.

    Args:
        key: of the settings, for messages.
        seconds: None: no limit.
        clock: seconds that never go back.
    """

    def __init__(
        self, key: str = "", seconds: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.words = f"{key}: {seconds:g} s" if seconds is not None else ""
        self.end = None if seconds is None else clock() + seconds
        self._clock = clock

    def has_passed(self) -> bool:
        return self.end is not None and self._clock() >= self.end

    def sooner(self, other: "TimeLimit") -> "TimeLimit":
        """Return which of two ends first."""
        if self.end is None or other.end is None:
            return other if self.end is None else self
        return self if self.end <= other.end else other
