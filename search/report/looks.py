"""How methods look on every chart: each has a colour and a shape, and no two have both in common."""

from search.records import Results
from search.report.palette import SHAPES
from search.report.vegalite import Spec, name


def coloured(results: Results) -> Spec:
    """Encode a method's colour; which one is the palette's, on a light ground or a dark one."""
    return name("method", scale={"domain": results.methods}, legend=None)


def shaped(results: Results) -> Spec:
    """Encode a method's shape: where the colours begin anew, the shapes are moved on by one."""
    count = len(SHAPES)
    shapes = [SHAPES[(place + place // count) % count] for place, _ in enumerate(results.methods)]
    return name("method", scale={"domain": results.methods, "range": shapes}, legend=None)
