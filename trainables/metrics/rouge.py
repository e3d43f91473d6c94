"""ROUGE-1, -2, -L and -Lsum (Lin, 2004): F-measure by the rouge_score package, with the Porter stemmer."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from tempfile import TemporaryDirectory
from typing import Any

from trainables.metrics._score import Columns, References, Rules, Score

SCORES = {
    "rouge1": Score("ROUGE-1"),
    "rouge2": Score("ROUGE-2"),
    "rougeL": Score("ROUGE-L"),
    "rougeLsum": Score("ROUGE-Lsum"),
}
PAPERS = ("lin2004rouge",)
REFERENCES: tuple[References, ...] = ("mean", "max")


@cache
def load() -> Any:
    """The `evaluate.Metric` beside this file: nothing is downloaded, and nothing kept in the home folder."""
    from trainables.metrics._rouge_module import Rouge

    with TemporaryDirectory(prefix="tuneoff-") as folder:  # it wants one, and writes nothing into it
        metric = Rouge(keep_in_memory=True, cache_dir=folder)
    metric.download_and_prepare()
    return metric


def measure(predictions: Sequence[str], references: Sequence[Sequence[str]], rules: Rules) -> Columns:
    """The mean or the highest over a document's references."""
    columns: Columns = load().compute(
        predictions=list(predictions),
        references=[list(row) for row in references],
        combine=rules.references,
    )
    return columns


def signature(rules: Rules, references: int | None) -> str:
    return (
        f"rouge_score {version('rouge_score')}, F-measure, with stemmer, sentences of ROUGE-Lsum split after "
        ". ! or ? and at line breaks"
    )
