"""Exact match and F1 over words, as SQuAD's script v1.1 computes them (Rajpurkar et al., D16-1264)."""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

from trainables.metrics._score import Columns, References, Rules, Score

SCORES = {"exact_match": Score("EM"), "f1": Score("F1")}
PAPERS = ("rajpurkar2016squad",)
REFERENCES: tuple[References, ...] = ("max",)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def measure(predictions: Sequence[str], references: Sequence[Sequence[str]], rules: Rules) -> Columns:
    """The best over a document's gold answers."""
    pairs = list(zip(predictions, references, strict=True))
    return {name: [_best(rule, text, row) for text, row in pairs] for name, rule in _RULES.items()}


def signature(rules: Rules, references: int | None) -> str:
    return "SQuAD v1.1: lower case, without punctuation and articles"


def normalised(text: str) -> str:
    """An answer as it is compared: lower case, without punctuation, English articles and extra spaces."""
    words = re.sub(r"\b(a|an|the)\b", " ", text.lower().translate(_NO_PUNCTUATION))
    return " ".join(words.split())


def _exact_match(prediction: str, reference: str) -> float:
    return float(normalised(prediction) == normalised(reference))


def _f1(prediction: str, reference: str) -> float:
    """Twice the shared words over all words of both; zero where none is shared, also of two empty answers."""
    words, gold = normalised(prediction).split(), normalised(reference).split()
    shared = (Counter(words) & Counter(gold)).total()
    return 2 * shared / (len(words) + len(gold)) if shared else 0.0


_RULES: dict[str, Callable[[str, str], float]] = {"exact_match": _exact_match, "f1": _f1}


def _best(rule: Callable[[str, str], float], prediction: str, references: Sequence[str]) -> float:
    return 100 * max(rule(prediction, reference) for reference in references)
