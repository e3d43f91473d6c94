"""Kinds of tasks, one file each, found by its name: `KIND` says how outputs are made and scored.

Nothing here knows how a model is trained: every kind is learned as text that follows text.
"""

from importlib import import_module
from pkgutil import iter_modules

from spaces import did_you_mean, shown
from trainables.kinds._kind import Kind

__all__ = ["Kind", "available", "get"]


def available() -> list[str]:
    """The names of all kinds."""
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


def get(name: str) -> Kind:
    """The kind `name`; ValueError with the choices where there is none."""
    choices = available()
    if name not in choices:
        raise ValueError(
            f"must be one of {', '.join(choices)}, got {shown(name)}{did_you_mean(name, choices)}"
        )
    kind: Kind = import_module(f"{__name__}.{name}").KIND
    return kind
