"""Score a model on a split: what it writes, and how well it predicts the references."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from trainables.batches import by_tokens
from trainables.data import Split
from trainables.encode import Encoded
from trainables.inference.classify import most_likely
from trainables.inference.encoded_once import encoded_once
from trainables.inference.generate import BATCH_TOKENS, end_tokens, greedy
from trainables.loss import mean_cross_entropy
from trainables.methods import Model
from trainables.scoring import score
from trainables.workbench import Workbench


@dataclass(frozen=True)
class Evaluation:
    """A split scored: one row an example, and what sums them up."""

    examples: pd.DataFrame
    """As `trainables.scoring` has them."""
    scores: dict[str, float]
    """Each score of the whole split, in points."""
    loss: float
    """Cross-entropy of the first references, nats a target token."""
    capped_share: float | None
    """Share of the predictions that the generation cap cut; None where labels are picked."""


def evaluate(
    bench: Workbench, model: Model, split: Split, limit: int | None, *, parts: int = 1
) -> Evaluation:
    """Write or pick the outputs for all examples of `split`, or the bench's choice of `limit`; score them.

    Batches are cut into `parts` to save memory.
    """
    base, task = bench.base, bench.task
    examples, encoded = zip(*bench.subset(split, limit), strict=True)
    model.eval()
    capped_share = None
    if task.picks_labels:
        loss = mean_cross_entropy(base, model, encoded, parts=parts)
        sources = [tokens.source for tokens in encoded]
        predictions = most_likely(base, model, sources, bench.data.labels, parts=parts)
    else:
        outputs, loss = _written(bench, model, encoded, parts)
        texts = base.tokenizer.batch_decode(outputs, skip_special_tokens=True)
        predictions = [text.strip() for text in texts]
        capped_share = sum(map(end_tokens(base).isdisjoint, outputs)) / len(outputs)
    table, scores = score(task, examples, predictions, bench.data.labels)
    return Evaluation(table, scores, loss, capped_share)


def _written(
    bench: Workbench, model: Model, encoded: Sequence[Encoded], parts: int
) -> tuple[list[list[int]], float]:
    """Generate tokens and compute the loss, batch by batch so that a source is encoded once."""
    base, cap = bench.base, bench.task.max_target_tokens
    outputs: list[list[int]] = [[] for _ in encoded]
    nats = 0.0
    for batch in by_tokens([len(tokens.source) for tokens in encoded], BATCH_TOKENS, parts):
        examples = [encoded[i] for i in batch]
        with encoded_once(base):
            written = greedy(base, model, [tokens.source for tokens in examples], cap=cap)
            nats += mean_cross_entropy(base, model, examples, parts=parts) * _target_tokens(examples)
        for i, tokens in zip(batch, written, strict=True):
            outputs[i] = tokens
    return outputs, nats / _target_tokens(encoded)


def _target_tokens(encoded: Sequence[Encoded]) -> int:
    return sum(len(tokens.target) for tokens in encoded)
