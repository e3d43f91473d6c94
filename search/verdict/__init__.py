"""What a sweep says about its methods, and how sure that is.

`verdict(results)` is all that a page has to print.
"""

from search.verdict.judge import verdict
from search.verdict.values import (
    Estimate,
    Front,
    MethodVerdict,
    Pair,
    Recommendation,
    UntunedVerdict,
    Verdict,
)

__all__ = [
    "Estimate",
    "Front",
    "MethodVerdict",
    "Pair",
    "Recommendation",
    "UntunedVerdict",
    "Verdict",
    "verdict",
]
