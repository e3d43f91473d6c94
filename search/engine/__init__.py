"""One idempotent run: the phases, the only Tune experiment, the searcher and the recorder."""

from search.engine.runner import run

__all__ = ["run"]
