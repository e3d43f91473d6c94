"""What a preflight check declares of itself."""

from collections.abc import Callable
from dataclasses import dataclass

from trainables.preflight.findings import Finding
from trainables.preflight.probe import Probe
from trainables.task import Task


def _nothing(probe: Probe) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class PreflightCheck:
    """One thing that a method must show on a task before budget is spent on it."""

    name: str
    """In `preflight.json` and in the report."""
    order: int
    """Its place: checks are asked from low to high, so that one failure explains what would follow it."""
    ask: Callable[[Probe], Finding]
    """It may raise: whatever a method does wrong is the finding."""
    always: bool = False
    """Asked after a failure too; the others stand on all that come before them."""
    applies: Callable[[Task], bool] = lambda task: True
    """Whether the task calls for it at all."""
    on_failure: Callable[[Probe], None] = _nothing
    """What must be done before anything else is asked, where it failed."""
