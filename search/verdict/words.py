"""Words that the verdict and the report share."""

from collections.abc import Sequence

from trainables.amounts import counted
from trainables.metrics import label as score_name

__all__ = ["counted", "listed", "score_name"]


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words in a sentence: `a`, `a and b`, `a, b and c`."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
