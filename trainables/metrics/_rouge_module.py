"""ROUGE (Lin, 2004) by the rouge_score package: F-measure, Porter stemmer, one score an example.

For ROUGE-Lsum the texts are split into sentences at whitespace that follows `.`, `!` or `?`.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from statistics import mean

import datasets
import evaluate
from rouge_score import rouge_scorer
from rouge_score.tokenizers import DefaultTokenizer

NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
COMBINE: dict[str, Callable[[list[float]], float]] = {"mean": mean, "max": max}
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class _RememberingTokenizer(DefaultTokenizer):
    """The default tokenizer; references come again at every rung, and stemming is most of the work."""

    @lru_cache(maxsize=100_000)  # noqa: B019 (one tokenizer lives as long as the process)
    def tokenize(self, text: str) -> list[str]:
        return super().tokenize(text)


class Rouge(evaluate.Metric):
    """ROUGE-1, -2, -L and -Lsum of each prediction, the mean or the best over its references."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Lin, 2004: ROUGE: A Package for Automatic Evaluation of Summaries",
            inputs_description="predictions: texts; references: for each prediction a list of texts",
            features=datasets.Features(
                {
                    "predictions": datasets.Value("string"),
                    "references": datasets.List(datasets.Value("string")),
                }
            ),
        )

    def _download_and_prepare(self, dl_manager: object) -> None:
        self.scorer = rouge_scorer.RougeScorer(NAMES, tokenizer=_RememberingTokenizer(use_stemmer=True))

    def _compute(
        self, predictions: list[str], references: list[list[str]], combine: str = "mean"
    ) -> dict[str, list[float]]:
        scores: dict[str, list[float]] = {name: [] for name in NAMES}
        for prediction, texts in zip(predictions, references, strict=True):
            each = [self.scorer.score(_by_line(text), _by_line(prediction)) for text in texts]
            for name in NAMES:
                scores[name].append(100 * COMBINE[combine]([score[name].fmeasure for score in each]))
        return scores


def _by_line(text: str) -> str:
    return "\n".join(SENTENCE_END.split(text.strip()))
