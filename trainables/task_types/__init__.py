"""Types of tasks, one file each, found by its name: `TASK_TYPE` says how outputs are made and scored.

Nothing here knows how a model is trained: every type is learned as text that follows text.
"""

from importlib import import_module
from pkgutil import iter_modules

from spaces import did_you_mean, shown
from trainables.task_types._task_type import TaskType

__all__ = ["TaskType", "available", "get"]


def available() -> list[str]:
    """Return the names of all task types."""
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


def get(name: str) -> TaskType:
    """Return the task type `name`.

    Raises:
        ValueError: there is no such type; the message lists the choices.
    """
    choices = available()
    if name not in choices:
        raise ValueError(
            f"must be one of {', '.join(choices)}, got {shown(name)}{did_you_mean(name, choices)}"
        )
    task_type: TaskType = import_module(f"{__name__}.{name}").TASK_TYPE
    return task_type
