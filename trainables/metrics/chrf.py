"""chrF (Popovic, W15-3049) of the whole corpus, by sacrebleu: character n-grams of orders 1 to 6, beta 2."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.compat.sacrebleu import sufficient_statistics
from trainables.metrics._score import Columns, References, Rules, Score, Sums, statistics_column

BETA = 2


def of_sums(sums: Sums) -> NDArray[np.float64]:
    """Sacrebleu's default for many corpora at once: precision and recall averaged over the orders there are.

    Args:
        sums: n-grams of the output, of the reference, and in both, for each order in turn; (..., 18).
    """
    output, reference, both = (sums[..., place::3] for place in range(3))
    present = (output > 0) & (reference > 0)
    orders = np.maximum(present.sum(axis=-1), 1)
    precision = np.where(present, both / np.maximum(output, 1), 0).sum(axis=-1) / orders
    recall = np.where(present, both / np.maximum(reference, 1), 0).sum(axis=-1) / orders
    weighted = BETA**2 * precision + recall
    product = (1 + BETA**2) * precision * recall
    return 100 * np.divide(product, weighted, out=np.zeros_like(product), where=weighted > 0)


SCORES = {"chrf": Score("chrF", of_sums)}
PAPERS = ("popovic2015chrf", "post2018sacrebleu")
REFERENCES: tuple[References, ...] = ("all",)


def measure(predictions: Sequence[str], references: Sequence[Sequence[str]], rules: Rules) -> Columns:
    """Sentence chrF, to look at; and the counts of the best reference, of which the corpus's chrF is made."""
    counts = [
        sufficient_statistics(_chrf(), text, row) for text, row in zip(predictions, references, strict=True)
    ]
    return {"chrf": of_sums(np.array(counts, float)).tolist(), statistics_column("chrf"): counts}


def signature(rules: Rules, references: int | None) -> str:
    """Sacrebleu's own; `references` a document, None where their number varies."""
    metric = _chrf()
    metric.num_refs = -1 if references is None else references
    return f"sacrebleu {metric.get_signature()}"


@cache
def _chrf() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(beta=BETA)
