"""The preflight checks, one file each, found by its name.

A check's file holds `CHECK`, a `PreflightCheck`: what it is called, when it is asked, and the function that
asks it, from a `Probe` to a `Finding`. A new one is a file here and its test; the driver and the report know
no names, they show what a worker found in the order in which it was asked.
"""

from importlib import import_module
from pkgutil import iter_modules

from trainables.preflight.checks._check import PreflightCheck

__all__ = ["PreflightCheck", "available"]


def available() -> list[PreflightCheck]:
    """All checks, in the order in which they are asked."""
    names = [module.name for module in iter_modules(__path__) if not module.name.startswith("_")]
    checks = [import_module(f"{__name__}.{name}").CHECK for name in names]
    return sorted(checks, key=lambda check: check.order)
