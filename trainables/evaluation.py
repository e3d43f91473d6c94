"""Score a model on a split: what it writes, and how well it predicts the references."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from trainables import metrics
from trainables.classify import most_likely
from trainables.data import Split
from trainables.generate import end_tokens, greedy
from trainables.loss import mean_cross_entropy
from trainables.methods import Model
from trainables.workbench import Workbench


@dataclass(frozen=True)
class Evaluation:
    """A split scored: one row an example, and what sums them up."""

    examples: pd.DataFrame
    """id, source, references, prediction, and for each score of the task the example's own, in points; of a
    score that is no mean over examples also its statistics, as `trainables.metrics` names them."""
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
    loss = mean_cross_entropy(base, model, encoded, parts=parts)
    sources = [tokens.source for tokens in encoded]
    capped_share = None
    if task.picks_labels:
        predictions = most_likely(base, model, sources, bench.data.labels, parts=parts)
    else:
        predictions, capped_share = _written(bench, model, sources, parts)
    references = [list(example.references) for example in examples]
    columns = metrics.measure(task.scored_by, predictions, references, task.rules(bench.data.labels))
    table = pd.DataFrame(
        {
            "id": [example.id for example in examples],
            "source": [example.source for example in examples],
            "references": references,
            "prediction": predictions,
            **columns,
        }
    )
    return Evaluation(table, metrics.of_corpus(columns), loss, capped_share)


def _written(
    bench: Workbench, model: Model, sources: Sequence[list[int]], parts: int
) -> tuple[list[str], float]:
    """What the model writes, and the share of it that the cap cut."""
    base = bench.base
    outputs = greedy(base, model, sources, cap=bench.task.max_target_tokens, parts=parts)
    texts = base.tokenizer.batch_decode(outputs, skip_special_tokens=True)
    capped = [end_tokens(base).isdisjoint(tokens) for tokens in outputs]
    return [text.strip() for text in texts], sum(capped) / len(capped)
