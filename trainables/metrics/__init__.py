"""Metrics as local `evaluate.Metric` modules, one folder each: nothing is downloaded to score a text."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import evaluate

FAMILIES = {"rouge": ("rouge1", "rouge2", "rougeL", "rougeLsum")}


@cache
def load(family: str) -> evaluate.Metric:
    """The metric module of a family in `FAMILIES`."""
    return evaluate.load(str(Path(__file__).parent / family), keep_in_memory=True)


def per_example(
    family: str,
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    combine: Literal["mean", "max"],
) -> dict[str, list[float]]:
    """Each metric of the family for each prediction against its references, in points, 0 to 100."""
    scores: dict[str, list[float]] = load(family).compute(
        predictions=list(predictions), references=[list(row) for row in references], combine=combine
    )
    return scores
