"""What runs a sweep and tells its story.

    from search import load_results, load_sweep, run

Each is imported when first asked for: reading a report needs neither Ray nor torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.config import load_sweep
    from search.engine import run
    from search.records import load_results

__all__ = ["load_results", "load_sweep", "run"]

_HOMES = {
    "load_results": "search.records.results",
    "load_sweep": "search.config.sweep",
    "run": "search.engine.runner",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
