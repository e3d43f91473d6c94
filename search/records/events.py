"""Events of a trial, for those who watch a sweep."""

from collections.abc import Callable
from typing import Literal

from search.records.record import Record

Event = Literal[
    "begin", "rung", "not promoted", "retry", "preempted", "device failed", "needs whole GPU", "failed"
]  # fmt: skip
Listener = Callable[[Event, Record], None]
"""Called with an event, and the record after it."""
