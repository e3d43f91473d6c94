"""What runs a sweep and tells its story.

    from search import load_results, load_sweep, run

Each is imported when first asked for: reading a report needs neither Ray nor torch.
"""

from typing import TYPE_CHECKING

from search.lazy import lazy_exports

if TYPE_CHECKING:
    from search.config import load_sweep
    from search.engine import run
    from search.records import load_results

__all__ = ["load_results", "load_sweep", "run"]

__getattr__ = lazy_exports(
    __name__,
    {
        "load_results": "search.records.results",
        "load_sweep": "search.config.sweep",
        "run": "search.engine.runner",
    },
)
