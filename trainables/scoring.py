"""Score texts against the references of their examples, whoever wrote them."""

from collections.abc import Sequence

import pandas as pd

from trainables import metrics
from trainables.data import Example
from trainables.task import Task


def score(
    task: Task, examples: Sequence[Example], predictions: Sequence[str], labels: tuple[str, ...] = ()
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Score one prediction for each example by the task's whole family of scores.

    Returns:
        A row an example: id, source, references, prediction, and each of its scores in points (of a score
        that is no mean over examples also its statistics, as `trainables.metrics` names them); and each score
        of all examples together, in points.
    """
    references = [list(example.references) for example in examples]
    columns = metrics.measure(task.scored_by, predictions, references, task.rules(labels))
    texts = {
        "id": [example.id for example in examples],
        "source": [example.source for example in examples],
        "references": references,
        "prediction": list(predictions),
    }
    return pd.DataFrame({**texts, **columns}), metrics.of_corpus(columns)
