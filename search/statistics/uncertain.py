"""An estimate whose error has two sources: the seeds that were drawn, and the documents."""

import math
from dataclasses import dataclass

from scipy.special import stdtrit

_SMALLEST_TAIL = 1e-300


@dataclass(frozen=True)
class Uncertain:
    """A mean, or a difference of means, in points; the variances are those of the estimate itself.

    Limits combine both sources after Howe: the half-width is the root of the summed squares of the
    sources' own half-widths, each a Student quantile with that source's degrees of freedom. With two or
    three seeds it covers where one Student quantile with Satterthwaite's degrees of freedom falls short
    (W. G. Howe, "Approximate Confidence Limits on the Mean of X + Y", JASA 69, 1974).
    """

    value: float
    seeds_variance: float
    """Zero where seeds play no part, or are left out of the limits; NaN where nothing tells what part they
    play, and with it all limits."""
    seeds_df: float
    documents_variance: float
    """NaN with a single document, and with it all limits."""
    documents_df: float

    def half_width(self, tail: float) -> float:
        """Return the distance from the value to the limit that has the probability `tail` beyond it."""
        sources = ((self.seeds_variance, self.seeds_df), (self.documents_variance, self.documents_df))
        return math.hypot(*(variance**0.5 * stdtrit(df, tail) for variance, df in sources if variance != 0))

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided confidence limits."""
        half = self.half_width((1 - confidence) / 2)
        return self.value - half, self.value + half

    def tail(self, distance: float) -> float:
        """Return the probability beyond a limit `distance` above the value: the inverse of `half_width`."""
        if math.isnan(self.half_width(0.25)):
            return math.nan
        if distance < 0:
            return 1 - self.tail(-distance)
        if self.half_width(_SMALLEST_TAIL) <= distance:
            return 0.0 if distance else 0.5
        low, high = math.log(_SMALLEST_TAIL), math.log(0.5)
        while low < (middle := (low + high) / 2) < high:
            low, high = (middle, high) if self.half_width(math.exp(middle)) > distance else (low, middle)
        return math.exp(high)

    def p_value(self) -> float:
        """Test the value against zero, two-sided: below 0.05 where the 95 % interval excludes zero."""
        return 2 * self.tail(abs(self.value))
