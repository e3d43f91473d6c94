"""Everyday situations, one a file. Each file defines ``SITUATION``; a new file is found by its being there."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from trainables.embedded.grammar import Situation


@cache
def situations() -> tuple[Situation, ...]:
    """All situations, in the order of their file names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}").SITUATION for name in names)
