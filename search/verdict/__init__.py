"""What a sweep says about its methods, and how sure that is.

`verdict(results)` is all that a page has to print.
"""

from search.verdict.degenerate import Degenerate
from search.verdict.importance import ENOUGH_TRIALS, Importance
from search.verdict.judge import verdict
from search.verdict.runs import over_seeds
from search.verdict.search_quality import Audit, SearchStatistics, search_statistics
from search.verdict.values import (
    DefaultVerdict,
    Estimate,
    Front,
    MethodVerdict,
    Pair,
    Quoted,
    Recommendation,
    Verdict,
    default_name,
)
from search.verdict.words import counted, listed, score_name

__all__ = [
    "ENOUGH_TRIALS",
    "Audit",
    "DefaultVerdict",
    "Degenerate",
    "Estimate",
    "Front",
    "Importance",
    "MethodVerdict",
    "Pair",
    "Quoted",
    "Recommendation",
    "SearchStatistics",
    "Verdict",
    "counted",
    "default_name",
    "listed",
    "over_seeds",
    "score_name",
    "search_statistics",
    "verdict",
]
