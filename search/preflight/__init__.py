"""The preflight checks of each method on workers, and the forecast from what they measure."""

from search.preflight.checker import Checker, pass_checks, try_methods

__all__ = ["Checker", "pass_checks", "try_methods"]
