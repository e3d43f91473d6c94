"""Load a task's data: three splits of examples, each a rendered prompt and its references.

Local files are read as text, so that an id `007` or a summary `NA` stays what it is.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd

from trainables import embedded
from trainables.amounts import counted, number
from trainables.data_source import DataFiles, HubData, is_path
from trainables.errors import InputError
from trainables.examples import Example, label_words, made
from trainables.hub_data import SPLITS, Split, hub_frames
from trainables.tables import read_split
from trainables.task import Task

__all__ = ["SPLITS", "Data", "Example", "Split", "columns_of", "load", "train_rows"]

CARVED_SHARE = 0.05
CARVED_MOST = 500
"""A missing split takes this share of train's sources, at most so many."""


@dataclass(frozen=True)
class Data:
    """The three splits, and what a reader of the report must know about how they came about."""

    train: list[Example]
    validation: list[Example]
    test: list[Example]
    notes: list[str] = field(default_factory=list)
    labels: tuple[str, ...] = ()
    """The label words of a classification."""

    def split(self, name: Split) -> list[Example]:
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    @property
    def counts(self) -> dict[str, int]:
        return {name: len(self.split(name)) for name in SPLITS}

    @property
    def fingerprint(self) -> str:
        """Compute SHA-256 over every example of every split: equal for equal data, wherever it lies."""
        digest = hashlib.sha256()
        for name in SPLITS:
            for example in self.split(name):
                digest.update(json.dumps([name, example.prompt, example.references]).encode())
        return digest.hexdigest()[:16]


def load(task: Task, seed: int) -> Data:
    """Load, group and check the task's data; `seed` decides what a missing split is carved from.

    Raises:
        InputError: a file, a column or a split is missing, unreadable or empty.
    """
    frames = _frames(task.data)
    notes: list[str] = []
    splits = {name: _examples(frame, name, task, notes) for name, frame in frames.items()}
    labels = label_words(task, splits) if task.picks_labels else ()
    for name in ("validation", "test"):
        if name not in splits:
            splits["train"], carved = _carve(splits["train"], Random(f"{seed}/{name}"))
            splits[name] = carved if task.picks_labels else _merged(carved)
            notes.append(
                f"{name} was carved from train with seed {seed}: {counted(len(splits[name]), 'example')}."
            )
    if task.train_samples != "all" and task.train_samples < len(splits["train"]):
        splits["train"] = _drawn(splits["train"], task.train_samples, Random(f"{seed}/train_samples"), notes)
    notes += [*_repeated_sources(splits["train"]), *_shared_sources(splits)]
    return Data(splits["train"], splits["validation"], splits["test"], notes, labels)


def train_rows(data: str | DataFiles | HubData) -> pd.DataFrame:
    """Read the train split as a table of its own columns.

    Raises:
        InputError: it cannot be read.
    """
    return _frames(data)["train"]


def _frames(data: str | DataFiles | HubData) -> dict[Split, pd.DataFrame]:
    if isinstance(data, DataFiles):
        return _local_frames(data.model_dump())
    if data == "embedded":
        frames = embedded.load_splits()
        return {split: frames[split] for split in SPLITS}
    return hub_frames(data if isinstance(data, HubData) else HubData(hub=_place(data)))


def _local_frames(files: dict[str, str | None]) -> dict[Split, pd.DataFrame]:
    return {
        name: read_split(path).rename(columns=str) for name in SPLITS if (path := files[name]) is not None
    }


def _place(name: str) -> str:
    """Return the absolute path of a folder of that name, else the name, which is then a hub id."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return str(folder.resolve())
    if is_path(name):
        raise InputError(f"Data folder {name} does not exist. An id of the hub is written owner/name.")
    return name


def _examples(frame: pd.DataFrame, split: Split, task: Task, notes: list[str]) -> list[Example]:
    if frame.empty:
        raise InputError(f"The {split} split is empty.")
    named = [task.target] if isinstance(task.target, str) else task.target
    frame = _with_nested(frame, [task.source, *named, *task.prompt_columns])
    targets = _target_columns(frame, split, task)
    _require_columns(frame, split, [task.source, *task.prompt_columns])
    rows = [made(row, f"{split}-{number}", targets, task) for number, row in enumerate(_rows(frame))]
    kept = [row for row in rows if row.source.strip() and row.references]
    if len(kept) < len(rows):
        notes.append(
            f"{split}: {counted(len(rows) - len(kept), 'row')} without a source or a target left out."
        )
    if not kept:
        raise InputError(f"The {split} split has no row with both a source and a target.")
    is_whole = split == "train" or task.picks_labels
    return kept if is_whole else _merge_references(kept, split, notes)


def _with_nested(frame: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Add what lies within columns under its dotted name: `translation.de` of {"de": ..., "en": ...}."""
    for name in names:
        column, *keys = name.split(".")
        if keys and name not in frame.columns and column in frame.columns:
            within = [_within(cell, keys) for cell in frame[column]]
            if any(value is not None for value in within):
                frame = frame.assign(**{name: pd.Series(within, index=frame.index, dtype=object)})
    return frame


def _within(cell: Any, keys: Iterable[str]) -> Any:
    for key in keys:
        cell = cell.get(key) if isinstance(cell, dict) else None
    return cell


def _rows(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def _target_columns(frame: pd.DataFrame, split: Split, task: Task) -> list[str]:
    """Return the split's reference columns: those named, or `summary1, summary2, ...` for `summary`."""
    named = [task.target] if isinstance(task.target, str) else task.target
    present = [column for column in named if column in frame.columns]
    if present:
        return present
    numbered = [c for c in frame.columns if any(_is_numbered(c, name) for name in named)]
    if not numbered:
        _require_columns(frame, split, named)
    return numbered


def columns_of(name: str, frame: pd.DataFrame) -> list[str]:
    """Return the column `name`, else those of that name and a number; empty where there are none."""
    if name in frame.columns:
        return [name]
    return [column for column in frame.columns if _is_numbered(column, name)]


def _is_numbered(column: str, name: str) -> bool:
    return column.startswith(name) and column[len(name) :].isdigit()


def _require_columns(frame: pd.DataFrame, split: Split, names: list[str]) -> None:
    missing = [name for name in dict.fromkeys(names) if name not in frame.columns]
    if missing:
        raise InputError(
            f"The {split} split has no column {', '.join(map(repr, missing))}; "
            f"it has {', '.join(map(repr, frame.columns))}."
        )


def _merge_references(examples: list[Example], split: Split, notes: list[str]) -> list[Example]:
    merged = _merged(examples)
    if len(merged) < len(examples):
        notes.append(
            f"{split}: {counted(len(examples), 'row')} hold {counted(len(merged), 'different source')}; "
            "the rows of one source are its references."
        )
    return merged


def _merged(examples: list[Example]) -> list[Example]:
    """Merge rows with the same prompt into one example with several references."""
    merged: dict[str, Example] = {}
    for example in examples:
        first = merged.get(example.prompt, example)
        references = tuple(dict.fromkeys(first.references + example.references))
        merged[example.prompt] = replace(first, references=references)
    return list(merged.values())


def _carve(train: list[Example], random: Random) -> tuple[list[Example], list[Example]]:
    """Split off whole sources, so that none lies on both sides."""
    sources = list(dict.fromkeys(example.source for example in train))
    count = min(CARVED_MOST, max(1, round(len(sources) * CARVED_SHARE)))
    if count >= len(sources):
        raise InputError("The train split has too few different sources to carve a missing split from it.")
    chosen = set(random.sample(sources, count))
    carved = [example for example in train if example.source in chosen]
    return [example for example in train if example.source not in chosen], carved


def _repeated_sources(train: list[Example]) -> Iterator[str]:
    repeated = len(train) - len({example.source for example in train})
    if repeated:
        yield f"train: {counted(repeated, 'row')} repeat the source of another; all are trained on."


def _drawn(train: list[Example], count: int, random: Random, notes: list[str]) -> list[Example]:
    """Draw examples, in the order in which they stand in the data."""
    places = sorted(random.sample(range(len(train)), count))
    notes.append(f"train: {counted(count, 'example')} of {number(len(train))} drawn by the seed.")
    return [train[place] for place in places]


def _shared_sources(splits: dict[Split, list[Example]]) -> list[str]:
    sources = {name: {example.source for example in examples} for name, examples in splits.items()}
    notes = []
    for first, second in combinations(SPLITS, 2):
        shared = len(sources[first] & sources[second])
        if shared:
            notes.append(
                f"Warning: {counted(shared, 'source')} of {second} in {first} too: scores on {second} are "
                "flattered."
            )
    return notes
