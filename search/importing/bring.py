"""Bring results of other tools into a run folder: read them, score them, write them down."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.importing.columns import Columns, File, read
from search.importing.folder import Target, target
from search.importing.rows import rows
from search.importing.runs import Run, together
from search.records import Record, describe_import, now
from trainables import metrics
from trainables.data import Data
from trainables.errors import InputError
from trainables.examples import Example
from trainables.rung_report import Rung
from trainables.scoring import score
from trainables.status import Status
from trainables.storage import predictions
from trainables.storage.atomic import new_file, write_text


@dataclass(frozen=True)
class Brought:
    """What an import has added to a run folder."""

    runs: list[Run]
    examples: int
    notes: list[str]
    """Columns that were not read, and what else a user may not expect; a sentence each."""


def bring(names: Sequence[str], into: str, *, columns: Columns, task: dict[str, Any]) -> Brought:
    """Read files of results and add them to the run folder `into`, which is made where there is none.

    All is read, checked and scored before anything is written.

    Args:
        names: of the files.
        into: a run folder, of a sweep that has ended or of an earlier import.
        columns: what the columns mean, where they are not called so.
        task: `type`, `metric` and `references` of a task, where they are not those of the folder.

    Raises:
        InputError: a file cannot be read, contradicts itself, another or the folder.
    """
    to = target(into, task)
    metrics.check(to.sweep.task.rules(), trusted=to.sweep.task.trust_remote_code)
    files = read(names, columns, to.sweep.task.metric)
    examples, runs = together(list(rows(files)), to.examples)
    to.refuse(runs)
    notes = [*_unread(files), *_small(runs), *_without_sources(examples)]
    data = Data([], [], examples, notes, to.labels(examples))
    scored = [_scored(to, run, data) for run in runs]
    with to.folder.locked():
        _describe(to, files, data, runs)
        for record, table in scored:
            if table is not None:
                with new_file(to.folder.predictions_file(record)) as file:
                    predictions.write(table, file)
            to.folder.write_record(record)
    return Brought(runs, len(examples), notes)


def _unread(files: Sequence[File]) -> list[str]:
    return [f"{f.name}: not read: {', '.join(map(repr, f.unread))}." for f in files if f.unread]


def _small(runs: Sequence[Run]) -> list[str]:
    """Name scores that look like shares: tables of papers have either."""
    highest = max((value for run in runs for value in run.scores.values()), default=None)
    if highest is None or highest > 1:
        return []
    return [f"No score is above {highest:g}: they are read as points from 0 to 100, not as shares."]


def _without_sources(examples: Sequence[Example]) -> list[str]:
    if all(example.source for example in examples):
        return []
    return ["Examples have no source: outputs that copy it, or are one text for many, are not counted."]


def _scored(to: Target, run: Run, data: Data) -> tuple[Record, Any]:
    """Make the record of a run and, where it has any, the table of its predictions."""
    metric, table, scores = to.sweep.task.metric, None, run.scores
    if run.predictions:
        texts = [run.predictions[example.id] for example in data.test]
        table, scores = score(to.sweep.task, data.test, texts, data.labels)
    if metric not in scores:
        raise InputError(f"{run.place}, column {metric!r}, is empty: methods are compared by it.")
    rung = Rung(rung=0, examples=0, score=scores[metric], scores={**scores}, cost={**run.costs})
    record = Record(
        id=to.record_id(run),
        method=run.method,
        number=to.numbers[run.method, run.seed],
        phase="final",
        split="test",
        origin="imported" if run.predictions else "quoted",
        hyperparameters={},
        seed=run.seed,
        status=Status.COMPLETED,
        rungs=[rung],
        started=now(),
        ended=now(),
    )
    return record, table


def _describe(to: Target, files: Sequence[File], data: Data, runs: Sequence[Run]) -> None:
    """Write the sweep and the provenance of the folder."""
    found = [
        {
            "file": Path(file.name).name,
            "sha256": hashlib.sha256(Path(file.name).read_bytes()).hexdigest(),
            "rows": len(file.table),
        }
        for file in files
    ]
    entry = {"files": found, "methods": list(dict.fromkeys(run.method for run in runs))}
    sweep = to.sweep
    if sweep.imported:
        seeds = max([sweep.final.seeds, *(number + 1 for number in to.numbers.values())])
        sweep = sweep.model_copy(update={"final": sweep.final.model_copy(update={"seeds": seeds})})
        write_text(to.folder.sweep_file, sweep.to_yaml())
    describe_import(to.folder, sweep, data, entry)
