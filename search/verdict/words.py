"""Words that the verdict and the report share."""

from collections.abc import Sequence

from trainables.metrics import label as score_name

__all__ = ["counted", "listed", "score_name"]


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words in a sentence: `a`, `a and b`, `a, b and c`."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def counted(count: int, thing: str) -> str:
    """Write a count with its noun: `1 document`, `2 documents`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
