"""BLEU (Papineni et al., P02-1040) of the whole corpus, by sacrebleu (Post, W18-6319)."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.metrics._score import Columns, References, Rules, Score, Sums, statistics_column

ORDERS = 4


def of_sums(sums: Sums) -> NDArray[np.float64]:
    """Sacrebleu's default, smoothed exponentially, for many corpora at once.

    Args:
        sums: output tokens, reference tokens, matches of orders 1 to 4, n-grams of orders 1 to 4; (..., 10).
    """
    length, reference = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + ORDERS], sums[..., 2 + ORDERS :]
    halvings = np.cumsum(matches == 0, axis=-1)  # the k-th order without a match counts 2 ** -k matches
    counted = np.where(matches > 0, matches, 0.5**halvings)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(counted / totals).mean(axis=-1)
        penalty = np.minimum(0.0, 1 - reference / length)
        scores = 100 * np.exp(logs + penalty)
    possible = (totals > 0).all(axis=-1) & (matches > 0).any(axis=-1)
    return np.where(possible, scores, 0.0)


SCORES = {"bleu": Score("BLEU", of_sums)}
PAPERS = ("papineni2002bleu", "post2018sacrebleu")
REFERENCES: tuple[References, ...] = ("all",)


def measure(predictions: Sequence[str], references: Sequence[Sequence[str]], rules: Rules) -> Columns:
    """Sentence BLEU, to look at; and the counts that the corpus's BLEU is made of."""
    metric = _bleu(rules.bleu_tokenizer)
    found = [
        metric.corpus_score([text], [[reference] for reference in row])
        for text, row in zip(predictions, references, strict=True)
    ]
    counts = [[bleu.sys_len, bleu.ref_len, *bleu.counts, *bleu.totals] for bleu in found]
    return {"bleu": [_alone(metric, *row) for row in counts], statistics_column("bleu"): counts}


def signature(rules: Rules, references: int | None) -> str:
    """Sacrebleu's own; `references` a document, None where their number varies."""
    metric = _bleu(rules.bleu_tokenizer)
    metric.num_refs = -1 if references is None else references
    return f"sacrebleu {metric.get_signature()}"


@cache
def _bleu(tokenizer: str) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize=tokenizer)


def _alone(metric: Any, length: int, reference: int, *counts: int) -> float:
    """A sentence's BLEU over the orders that it is long enough for, as sacrebleu's `sentence_bleu`."""
    matches, totals = list(counts[:ORDERS]), list(counts[ORDERS:])
    bleu = metric.compute_bleu(matches, totals, length, reference, smooth_method="exp", effective_order=True)
    return float(bleu.score)
