"""Write a sweep file to start from: `tuneoff init`."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import yaml

from search.config import load_sweep
from trainables import task_types
from trainables.data import train_rows
from trainables.data_files import format_of
from trainables.data_source import DataFiles
from trainables.errors import InputError
from trainables.metrics import label, scores
from trainables.storage.atomic import write_text

LOOKED_AT = 500
"""Rows from which columns are proposed."""
USUAL_SOURCES = ("source", "src", "document", "article", "dialogue", "input")
"""Columns that are read even where another is longer: a translation may be either way round."""
USUAL_TARGETS = (
    "summary", "target", "tgt", "highlights", "answers", "answer", "output", "response", "completion",
    "label",
)  # fmt: skip
TEMPLATE = """\
# Look first:  tuneoff check {file}
# Then run:    tuneoff run {file}

name: {name}
seed: 0                          # source of all randomness

task:                            # what is fixed for all trials
  type: {type}
  model: {model}
  data: {data}
  source: {source}               # the column to read
  target: {target}               # the column to write
  prompt: {prompt}
  max_source_tokens: 512         # the end of longer sources is cut; `tuneoff check` shows how many
  max_target_tokens: 128         # also the cap of generation
  metric: {metric}

methods:                         # `tuneoff methods` shows what is searched for each
{methods}

search:                      # the search, on validation data
  trials_per_method: 8           # its default configuration is the first
  max_epochs: 1                  # full budget of a trial
  validation_samples: 128        # scored at each rung

final:                           # each method's winner, retrained and scored on test
  seeds: 3
"""


@dataclass(frozen=True)
class Start:
    """The user's options; what is None is proposed."""

    model: str
    data: str
    """Train file, hub id, or embedded."""
    validation: str | None
    test: str | None
    source: str | None = field(kw_only=True)
    target: str | None = field(kw_only=True)
    methods: list[str] = field(kw_only=True)
    type: str = field(default="summarization", kw_only=True)


def write_sweep(file: Path, start: Start) -> list[str]:
    """Write the sweep file; return lines that say what was proposed.

    Raises:
        InputError: the file exists, the data cannot be read, or what was named does not exist.
    """
    if file.exists():
        raise InputError(f"{file} exists; name another file, or remove it first.")
    task_type = _task_type(start.type)
    rows = train_rows(_data(start)).head(LOOKED_AT)
    source = _column(start.source, rows, "--source") or _source(rows, start.target)
    target = _column(start.target, rows, "--target") or _target(rows, source)
    text = TEMPLATE.format(
        file=file,
        name=_name(file),
        type=start.type,
        model=_inline(start.model),
        data=_inline(_data_entry(start)),
        source=_inline(source),
        target=_inline(target),
        prompt=_inline(task_type.prompt.replace("<source>", source).replace("<target>", target)),
        metric=_metric(task_type),
        methods="\n".join(f"  {name}: {{}}" for name in start.methods or load_sweep("quickstart").methods),
    )
    write_text(file, text)
    try:
        load_sweep(file)
    except InputError:
        file.unlink()
        raise
    lengths = rows[[source, target]].astype(str).map(len).mean().round().astype(int)
    return [
        f"{file}: reads {source!r} (about {lengths[source]} characters), writes {target!r} "
        f"(about {lengths[target]}).",
        f"Make the prompt your own, then: tuneoff check {file}",
    ]


def _task_type(name: str) -> task_types.TaskType:
    try:
        return task_types.get(name)
    except ValueError as error:
        raise InputError(f"--type: {error}") from error


def _metric(task_type: task_types.TaskType) -> str:
    """Write the objective, and what else is recorded."""
    if task_type.score is None:
        return "rougeL                 # the one objective: one of ours, or of the evaluate library"
    recorded = [label(score) for score, metric in scores().items() if metric in task_type.metrics]
    return f"{task_type.score:<22} # the one objective; recorded: {', '.join(recorded)}"


def _data(start: Start) -> str | DataFiles:
    if format_of(start.data) is None:
        return start.data
    return DataFiles(train=start.data, validation=start.validation, test=start.test)


def _data_entry(start: Start) -> object:
    data = _data(start)
    return data if isinstance(data, str) else data.model_dump(exclude_none=True)


def _column(name: str | None, rows: pd.DataFrame, option: str) -> str | None:
    if name is not None and name not in rows.columns:
        raise InputError(f"{option}: there is no column {name!r}; there are {', '.join(rows.columns)}.")
    return name


def _text_lengths(rows: pd.DataFrame, without: str | None) -> dict[str, float]:
    """Compute the mean length, in characters, of each column that holds text."""
    return {
        name: rows[name].str.len().mean()
        for name in rows.columns
        if name != without and rows[name].map(lambda value: isinstance(value, str)).all()
    }


def _longest(rows: pd.DataFrame, without: str | None) -> str:
    lengths = _text_lengths(rows, without)
    if not lengths:
        raise InputError(f"No column holds text; there are {', '.join(rows.columns)}. Name them yourself.")
    return max(lengths, key=lengths.__getitem__)


def _source(rows: pd.DataFrame, target: str | None) -> str:
    """Choose a usual name, or else the longest text."""
    texts = _text_lengths(rows, target)
    return next((name for name in USUAL_SOURCES if name in texts), None) or _longest(rows, target)


def _target(rows: pd.DataFrame, source: str) -> str:
    """Choose a usual name, or else the longest text beside the source."""
    usual = (name for name in USUAL_TARGETS if name in rows.columns and name != source)
    return next(usual, None) or _longest(rows, source)


def _name(file: Path) -> str:
    cleaned = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in file.stem).strip("-")
    return cleaned or "sweep"


def _inline(value: object) -> str:
    """Format a value as YAML on one line."""
    return yaml.safe_dump(
        value, default_flow_style=True, width=10_000, allow_unicode=True, default_style=_style(value)
    ).splitlines()[0]


def _style(value: object) -> str | None:
    return '"' if isinstance(value, str) and "\n" in value else None
