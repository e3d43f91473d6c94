"""From a comparison to the values of a verdict."""

from search.statistics import Comparison
from search.verdict.values import Estimate
from trainables.metrics import get


def estimate(comparison: Comparison, method: str, score: str) -> Estimate:
    """Return a method's mean with its 95 % interval and seed spread, in points.

    The limits are symmetric about the mean, and those beyond the scale of the score are cut off at its end:
    what is cut off cannot hold the truth.
    """
    found = comparison.estimate(method)
    (low, high), (lowest, highest) = found.interval(), get(score).scale
    return Estimate(
        mean=found.value,
        low=max(low, lowest),
        high=min(high, highest),
        seed_sd=comparison.seed_sd(method),
        is_cut=low < lowest or high > highest,
    )
