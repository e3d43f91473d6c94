"""What happens to a trial, as those are told who watch a sweep."""

from collections.abc import Callable
from typing import Literal

from search.records.record import Record

Event = Literal["begin", "rung", "retry", "preempted", "device failed", "needs whole GPU", "failed"]
Listener = Callable[[Event, Record], None]
"""Told of an event, with the record as it is after it."""
