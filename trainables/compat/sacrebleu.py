"""Every name of sacrebleu that is not public, pinned to sacrebleu 2 by `tests/test_compat.py`."""

from collections.abc import Sequence
from typing import Any


def sufficient_statistics(metric: Any, prediction: str, references: Sequence[str]) -> list[int]:
    """Return the counts of one document that sacrebleu's own `corpus_score` adds up."""
    (counts,) = metric._extract_corpus_statistics([prediction], [[text] for text in references])
    return list(counts)
