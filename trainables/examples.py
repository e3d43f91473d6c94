"""Rows of a table become examples: the prompt filled with the row's columns, and the references."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spaces import did_you_mean
from trainables.errors import InputError
from trainables.prompt import PromptError, fill, template
from trainables.task import Task

MOST_LABELS = 100
"""Of a classification; each is scored for each document."""


@dataclass(frozen=True)
class Example:
    """One source with its references (training uses the first)."""

    id: str
    source: str
    prompt: str
    """The task's prompt with this row's columns in it."""
    references: tuple[str, ...]
    source_place: tuple[int, int] | None = field(default=None, compare=False)
    """From where to where the source stands in the prompt; None where it does not stand there as it is."""


def made(row: Mapping[str, Any], name: str, targets: Sequence[str], task: Task) -> Example:
    """The example of a row with the id `name`; its `targets` are the columns of its references.

    Raises:
        InputError: the prompt cannot be filled with the row, or its label is none of the task's.
    """
    values = {column: _plain(value) for column, value in row.items()}
    values[task.source] = str(values[task.source])
    try:
        filled = fill(template(task.prompt), values, task.source)
    except PromptError as error:
        raise InputError(f"task.prompt cannot be filled with {name}: {error}") from error
    texts = [text for column in targets for text in _texts(values[column]) if text.strip()]
    if task.picks_labels:
        texts = [_label(text, task) for text in texts]
    return Example(
        id=name,
        source=values[task.source],
        prompt=filled.text,
        references=tuple(texts),
        source_place=filled.source,
    )


def _plain(value: Any) -> Any:
    """A cell as Python has it: empty text for a missing one, lists for arrays."""
    if value is None:
        return ""
    return value.tolist() if hasattr(value, "tolist") else value


def _texts(value: Any) -> list[str]:
    """A cell's references: a text, a list of texts, or SQuAD's `{text: [...], answer_start: [...]}`."""
    if isinstance(value, dict) and "text" in value:
        return _texts(_plain(value["text"]))
    return [str(text) for text in value] if isinstance(value, list) else [str(value)]


def _label(value: str, task: Task) -> str:
    words = task.labels or {}
    known = words if isinstance(words, dict) else dict(zip(words, words, strict=True))
    if known and value not in known:
        raise InputError(
            f"task.labels: the data has the value {value!r}; the labels are {', '.join(map(repr, known))}"
            f"{did_you_mean(value, known)}"
        )
    return known.get(value, value)


def label_words(task: Task, splits: Mapping[Any, Sequence[Example]]) -> tuple[str, ...]:
    """The label words of a task, or the train split's, sorted.

    Raises:
        InputError: there are fewer than two or more than `MOST_LABELS`, or another split has more.
    """
    if task.labels:
        return tuple(task.labels.values() if isinstance(task.labels, dict) else task.labels)
    words = {name: {example.references[0] for example in rows} for name, rows in splits.items()}
    labels = words["train"]
    if not 1 < len(labels) <= MOST_LABELS:
        raise InputError(
            f"task.target: a classification has 2 to {MOST_LABELS} labels, the train split has {len(labels)} "
            "different values. Is it another kind of task?"
        )
    for name, found in words.items():
        if unknown := sorted(found - labels):
            raise InputError(
                f"task.labels: {name} has labels that train has not: {', '.join(unknown[:5])}. "
                "Name all labels."
            )
    return tuple(sorted(labels))
