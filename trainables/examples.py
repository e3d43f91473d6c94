"""Rows of a table become examples: the prompt filled with the row's columns, and the references."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spaces import did_you_mean, shown
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
    """Make the example with the id `name` of a row; its `targets` are the columns of its references.

    Raises:
        InputError: a column of the task holds no text, the prompt cannot be filled with the row, or its
            label is none of the task's.
    """
    prompt = template(task.prompt)
    read = {column: plain_value(row[column], _cell(name, column)) for column in {*prompt.columns, *targets}}
    values = {**row, **read, task.source: _source(read[task.source], _cell(name, task.source))}
    try:
        filled = fill(prompt, values, task.source)
    except PromptError as error:
        raise InputError(f"task.prompt cannot be filled with {name}: {error}") from error
    references = (text for column in targets for text in texts_of(read[column], _cell(name, column)))
    texts = [text for text in references if text.strip()]
    if task.picks_labels:
        texts = [_label(text, task) for text in texts]
    return Example(
        id=name,
        source=values[task.source],
        prompt=filled.text,
        references=tuple(texts),
        source_place=filled.source,
    )


def _cell(row: str, column: str) -> str:
    return f"{row}: the column {column!r}"


def plain_value(value: Any, cell: str) -> Any:
    """Convert a cell to plain Python: empty text for a missing one, lists for arrays, text for bytes.

    Lines of a text end in a line feed only: most tokenizers know no other end.
    """
    return "" if value is None else _unpacked(value, cell)


def _unpacked(value: Any, cell: str) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise InputError(
                f"{cell} holds bytes that are no text in UTF-8 ({error.reason} at {error.start}). "
                "Convert it to text."
            ) from error
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list):
        return [_unpacked(item, cell) for item in value]
    return {key: _unpacked(item, cell) for key, item in value.items()} if isinstance(value, dict) else value


def _source(value: Any, cell: str) -> str:
    if isinstance(value, list | dict):
        raise _no_text(f"{cell} must hold a text, and", value)
    return str(value)


def texts_of(value: Any, cell: str) -> list[str]:
    """Read a cell's references: a text, a list of texts, or SQuAD's `{text: [...], answer_start: [...]}`."""
    if isinstance(value, dict) and "text" in value:
        return texts_of("" if value["text"] is None else value["text"], cell)
    texts = value if isinstance(value, list) else [value]
    for text in texts:
        is_nan = isinstance(text, float) and math.isnan(text)
        if text is None or is_nan or isinstance(text, list | dict):
            raise _no_text(f"{cell} must hold a text, or a list of texts, and", text)
    return [str(text) for text in texts]


def _no_text(rule: str, value: Any) -> InputError:
    return InputError(f"{rule} holds {shown(value)}. Mend the row, or leave it out.")


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
    """Return the label words of a task, or the train split's, sorted.

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
