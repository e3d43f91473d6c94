"""From a comparison to the values of a verdict."""

from search.statistics import Comparison
from search.verdict.values import Estimate


def estimate(comparison: Comparison, method: str) -> Estimate:
    """A method's mean with its interval."""
    found = comparison.estimate(method)
    low, high = found.interval()
    return Estimate(found.value, low, high, comparison.seed_sd(method))
