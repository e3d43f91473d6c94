"""From a comparison to the values of a verdict."""

from search.statistics import Comparison
from search.verdict.values import Estimate


def estimate(comparison: Comparison, method: str) -> Estimate:
    """Return a method's mean with its 95 % interval and seed spread, in points."""
    found = comparison.estimate(method)
    low, high = found.interval()
    return Estimate(found.value, low, high, comparison.seed_sd(method))
