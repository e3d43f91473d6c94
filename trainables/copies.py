"""Copies of a part of the source, which a summary must beat: what costs nothing and was not written.

Lead is the baseline that news summarizers long failed to beat (Nenkova, "Automatic Text Summarization of
Newswire: Lessons Learned from the Document Understanding Conference", AAAI 2005); of dialogues also the
longest turn scores high (Gliwa et al., "SAMSum Corpus", arXiv 1911.12237).
"""

import re
from collections.abc import Callable, Sequence

import pandas as pd

from trainables import metrics
from trainables.data import Example
from trainables.task import Task

MOST_UNITS = 8
"""The longest lead or tail that is tried."""
CHOSEN_ON = 128
"""Validation examples that decide how long a lead and a tail are."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SEPARATORS = {"turns": "\n", "sentences": " "}


def copies(task: Task, validation: Sequence[Example], scored: Sequence[Example]) -> pd.DataFrame:
    """Score copies of the first, the last and the longest units of each source.

    Units are turns where most sources of `validation` have several lines, else sentences. So many are taken
    as score highest on `validation` by the task's metric, the fewest in a tie.

    Returns:
        A row a copy and example of `scored`: copy (`lead`, `tail`, `longest`), units, length (units taken),
        id, prediction, and the scores of the task's family as `trainables.metrics` has them, in points.
    """
    units = (
        "turns" if sum(len(_lines(e.source)) > 1 for e in validation) * 2 > len(validation) else "sentences"
    )
    tables = []
    for name, take in _COPIES.items():
        lengths = range(1, 2 if name == "longest" else _longest(units, validation) + 1)
        length = max(lengths, key=lambda k: _mean(task, validation, _taken(units, take, k, validation)))
        texts = _taken(units, take, length, scored)
        facts = {"copy": name, "units": units, "length": length, "id": [example.id for example in scored]}
        tables.append(pd.DataFrame({**facts, "prediction": texts, **_scores(task, scored, texts)}))
    return pd.concat(tables, ignore_index=True)


_COPIES: dict[str, Callable[[list[str], int], list[str]]] = {
    "lead": lambda units, length: units[:length],
    "tail": lambda units, length: units[-length:],
    "longest": lambda units, length: [max(units, key=lambda unit: len(unit.split()))],
}


def _taken(
    units: str, take: Callable[[list[str], int], list[str]], length: int, examples: Sequence[Example]
) -> list[str]:
    return [_SEPARATORS[units].join(take(_split(units, example.source), length)) for example in examples]


def _longest(units: str, examples: Sequence[Example]) -> int:
    """Return the longest lead to try: a longer one is no other text for any example."""
    return min(MOST_UNITS, max(len(_split(units, example.source)) for example in examples))


def _split(units: str, source: str) -> list[str]:
    if units == "turns":
        return _lines(source)
    return [sentence for sentence in _SENTENCE_END.split(source.strip()) if sentence]


def _lines(source: str) -> list[str]:
    return [line.strip() for line in source.splitlines() if line.strip()]


def _mean(task: Task, examples: Sequence[Example], texts: Sequence[str]) -> float:
    return metrics.of_corpus(_scores(task, examples, texts))[task.metric]


def _scores(task: Task, examples: Sequence[Example], texts: Sequence[str]) -> metrics.Columns:
    references = [list(example.references) for example in examples]
    return metrics.measure(task.scored_by, texts, references, task.rules())
