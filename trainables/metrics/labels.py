"""Accuracy and macro-averaged F1 of label words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainables.metrics._score import Columns, References, Rules, Score, Sums, statistics_column


def macro_f1(sums: Sums) -> NDArray[np.float64]:
    """The mean F1 of the labels that occur, as gold or as prediction (scikit-learn's default).

    Args:
        sums: for each label in turn how often it was right, predicted, and gold; (..., 3 labels).
    """
    right, predicted, gold = (sums[..., place::3] for place in range(3))
    occurrences = predicted + gold
    f1 = 2 * right / np.maximum(occurrences, 1)
    return 100 * f1.sum(axis=-1) / np.maximum((occurrences > 0).sum(axis=-1), 1)


SCORES = {"accuracy": Score("Accuracy"), "macro_f1": Score("Macro F1", macro_f1)}
REFERENCES: tuple[References, ...] = ("max",)


def measure(predictions: Sequence[str], references: Sequence[Sequence[str]], rules: Rules) -> Columns:
    """A document by itself is right (100) or wrong (0); and what the corpus's macro F1 is made of."""
    gold = [row[0] for row in references]
    right = [100.0 * (text == label) for text, label in zip(predictions, gold, strict=True)]
    counts = [_counts(*pair, rules.labels) for pair in zip(predictions, gold, strict=True)]
    return {"accuracy": right, "macro_f1": right, statistics_column("macro_f1"): counts}


def signature(rules: Rules, references: int | None) -> str:
    return f"the most likely of {len(rules.labels)} label words; macro F1 over the labels that occur"


def _counts(prediction: str, gold: str, labels: Sequence[str]) -> list[int]:
    return [
        int(hit)
        for label in labels
        for hit in (prediction == gold == label, prediction == label, gold == label)
    ]
