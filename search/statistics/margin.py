"""Non-inferiority: which methods are shown to be at most so many points worse than the best."""

import numpy as np

from search.statistics.comparison import Comparison


def shortfall_p_values(comparison: Comparison, margin: float) -> dict[str, float]:
    """Test whether each method is `margin` points or more below the best: one-sided p-values by method.

    Which method is the best in truth is not known either, so a method has to be shown within the margin of
    every other: the largest of its p-values counts, and needs no correction (intersection-union test,
    Berger, 1982; Hsu, "Multiple Comparisons with the Best", 1996). Zero where there is no other, NaN where
    a single document tells nothing. Methods with a single seed take no part.
    """
    return {method: _p_value(comparison, method, margin) for method in comparison.comparable}


def _p_value(comparison: Comparison, method: str, margin: float) -> float:
    others = [other for other in comparison.comparable if other != method]
    leads = [comparison.difference(other, method) for other in others]
    return float(np.max([lead.tail(margin - lead.value) for lead in leads], initial=0.0))
