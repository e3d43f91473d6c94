"""Each method's preflight checks on workers, and the forecast that follows from them."""

from search.preflight.checker import Checker, pass_checks, try_methods

__all__ = ["Checker", "pass_checks", "try_methods"]
