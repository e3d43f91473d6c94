"""Score a model on a split: what it writes, and how well it predicts the references."""

from dataclasses import dataclass

import pandas as pd

from trainables import metrics
from trainables.data import Split
from trainables.generate import greedy
from trainables.loss import mean_cross_entropy
from trainables.methods import Model
from trainables.workbench import Workbench


@dataclass(frozen=True)
class Evaluation:
    """A split scored: one row an example, and what sums them up."""

    examples: pd.DataFrame
    """id, source, references, prediction, and each metric of the family in points, 0 to 100."""
    scores: dict[str, float]
    """The mean of each metric over the examples."""
    loss: float
    """Cross-entropy of the first references, nats a target token."""
    capped_share: float
    """Share of the predictions that the generation cap cut."""


def evaluate(
    bench: Workbench, model: Model, split: Split, limit: int | None, *, parts: int = 1
) -> Evaluation:
    """Generate for all examples of `split`, or the bench's choice of `limit`, and score them.

    Batches are cut into `parts` to save memory.
    """
    base, task = bench.base, bench.task
    examples, encoded = zip(*bench.subset(split, limit), strict=True)
    model.eval()
    loss = mean_cross_entropy(base, model, encoded, parts=parts)
    sources = [tokens.source for tokens in encoded]
    outputs = greedy(base, model, sources, cap=task.max_target_tokens, parts=parts)
    predictions = [text.strip() for text in base.tokenizer.batch_decode(outputs, skip_special_tokens=True)]
    references = [list(example.references) for example in examples]
    scores = metrics.per_example("rouge", predictions, references, combine=task.references)
    table = pd.DataFrame(
        {
            "id": [example.id for example in examples],
            "source": [example.source for example in examples],
            "references": references,
            "prediction": predictions,
            **scores,
        }
    )
    capped = [base.tokenizer.eos_token_id not in tokens for tokens in outputs]
    means = {name: float(table[name].mean()) for name in scores}
    return Evaluation(table, means, loss, sum(capped) / len(capped))
