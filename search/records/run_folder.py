"""The paths of a run folder, and the writing of its records."""

import json
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from search.config import refuse_newer, refuse_newer_json
from search.records import lock
from search.records.lease import Lease
from search.records.preflight_results import PreflightResults
from search.records.record import Record, parse
from trainables.errors import InputError
from trainables.status import Status
from trainables.storage import predictions
from trainables.storage.atomic import keep_version, new_file, write_text
from trainables.storage.place import Place, bytes_of, contents, place


class RunFolder:
    """The folder of one sweep. Nothing else in tuneoff spells a path inside it.

    All state is found from `root`, so the folder may be moved between runs.
    """

    def __init__(self, root: str | Place) -> None:
        self.root = place(root)

    @cached_property
    def machine(self) -> Path:
        """The folder itself or, for an object store, one of this machine for what cannot be an object.

        Holds only what each start makes anew: Optuna's journal, Tune's own state.
        """
        if isinstance(self.root, Path):
            return self.root
        folder = Path(tempfile.mkdtemp(prefix="tuneoff-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    @property
    def sweep_file(self) -> Place:
        return self.root / "sweep.yaml"

    @property
    def provenance_file(self) -> Place:
        return self.root / "provenance.json"

    @property
    def preflight_file(self) -> Place:
        return self.root / "preflight.json"

    @property
    def warm_start_file(self) -> Place:
        return self.root / "warm_start.json"

    @property
    def study_file(self) -> Path:
        """Optuna's journal; `study_kept` copies it into an object store."""
        return self.machine / "study.log"

    @property
    def tune(self) -> Path:
        return self.machine / "tune"

    @property
    def tokens(self) -> Place:
        """The tokenised data that workers share; made anew where it is missing."""
        return self.root / "tokens"

    @property
    def report(self) -> Place:
        return self.root / "report"

    def record_file(self, record: Record) -> Place:
        if record.split == "validation":
            return self.root / "trials" / f"{record.id}.json"
        return self.output(record) / "record.json"

    def checkpoints(self, record: Record) -> Place:
        """Return the folder of the trial's latest checkpoint; an audit goes on from that of its trial."""
        if record.phase == "audit":
            return self._search_checkpoints / str(record.of_trial)
        if record.phase == "search":
            return self._search_checkpoints / record.id
        return self.root / "checkpoints" / record.phase / record.id

    @cached_property
    def _search_checkpoints(self) -> Place:
        """Keeps its former name in a folder of format 1."""
        of_format_1 = self.root / "checkpoints" / "qualifying"
        return of_format_1 if of_format_1.exists() else self.root / "checkpoints" / "search"

    def output(self, record: Record) -> Place:
        """Return the folder of the predictions and the adapter of a run on test."""
        return self.root / "final" / record.id

    def tensorboard(self, record: Record) -> Place:
        """Return the folder of a trial's event files."""
        return self.root / "tensorboard" / record.id

    def predictions_file(self, record: Record) -> Place:
        return self.output(record) / "predictions.parquet"

    def read_predictions(self, record: Record) -> pd.DataFrame:
        """Read what a run wrote on the test split.

        Raises:
            InputError: it is damaged.
        """
        return predictions.read(self.predictions_file(record), _scores(record))

    def read_copies(self, baseline: Record) -> pd.DataFrame:
        """Read the copies that were scored beside the untrained model; empty where none were.

        Raises:
            InputError: they are damaged.
        """
        file = self.output(baseline) / "copies.parquet"
        if not file.exists():
            return pd.DataFrame(columns=[*predictions.COPIES])
        return predictions.read_copies(file, _scores(baseline))

    def check_output(self, record: Record) -> None:
        """Raise InputError where what a run wrote on the test split is damaged."""
        self.read_predictions(record)
        if record.origin == "baseline":
            self.read_copies(record)

    def damaged_predictions(self, records: Iterable[Record]) -> dict[str, str]:
        """Map ids of completed runs to what is wrong with their predictions; missing ones are left out."""
        damaged = {}
        for record in records:
            is_scored = record.split == "test" and record.status is Status.COMPLETED
            if is_scored and self.predictions_file(record).exists():
                try:
                    self.check_output(record)
                except InputError as error:
                    damaged[record.id] = str(error)
        return damaged

    def adapter(self, record: Record) -> Place:
        return self.output(record) / "adapter"

    def write_record(self, record: Record) -> None:
        """Write a record whole, and keep the version before it: a disk may lose what it has confirmed."""
        file = self.record_file(record)
        keep_version(file, self.previous_version(file))
        write_text(file, record.model_dump_json(indent=1) + "\n")

    def previous_version(self, file: Place) -> Place:
        """Return the path of a record's version before the last; an object store keeps none."""
        return file.with_name(f".{file.name}.previous")

    def record_files(self) -> list[Place]:
        """List the files of all records, in the order of their ids."""
        files = [*self.root.glob("trials/*/[!.]*.json"), *self.root.glob("final/*/[!.]*/record.json")]
        return sorted(files, key=lambda file: file.parts)

    def read_records(self) -> list[Record]:
        """Read all records, in the order of their ids.

        Raises:
            InputError: a record cannot be read, or is of a newer format.
        """
        found = self.parsed_records()
        for file, record in found:
            if record is None:
                raise InputError(
                    f"The record {file} cannot be read. "
                    "`tuneoff resume` sets it aside and takes its trial up again."
                )
        return [record for _, record in found if record is not None]

    def parsed_records(self) -> list[tuple[Place, Record | None]]:
        """List each record's file and the record, None if damaged, in the order of their ids.

        Raises:
            InputError: one is of a newer format, or not of the trial that its name says.
        """
        found = self.parsed_files()
        for told in self.misplaced(found):
            raise InputError(told)
        return found

    def parsed_files(self) -> list[tuple[Place, Record | None]]:
        """Parse as `parsed_records` does, but take a record for what it says, wherever it lies."""
        files = self.record_files()
        return [(file, parse(content, file)) for file, content in zip(files, contents(files), strict=True)]

    def misplaced(self, found: Iterable[tuple[Place, Record | None]]) -> Iterator[str]:
        """Name the records that lie under another trial's name."""
        for file, record in found:
            if record is not None and (own := self.record_file(record)) != file:
                yield (
                    f"{file} holds the record of {record.id}, which belongs in {own}: a copy would count the "
                    "trial twice. Remove it, or give it back its name."
                )

    @contextmanager
    def study_kept(self) -> Iterator[None]:
        """Copy `study.log` into an object store when the block ends, however it does."""
        try:
            yield
        finally:
            if self.machine != self.root and self.study_file.exists():
                with new_file(self.root / self.study_file.name) as file:
                    shutil.copyfile(self.study_file, file)

    def write_json(self, path: Place, content: dict[str, Any]) -> None:
        write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def read_provenance(self) -> dict[str, Any]:
        """Read the provenance; empty before the first start.

        Raises:
            InputError: it cannot be read, or is of a newer format.
        """
        content = _object(self.provenance_file, "Move it away: it is written anew.")
        refuse_newer(content, self.provenance_file)
        return content

    def read_warm_start(self) -> dict[str, list[dict[str, Any]]]:
        """Read the points of another sweep that each method tries first; empty without a warm start."""
        remedy = "Move it away: it is written anew from the run folder that search.warm_start names."
        return _object(self.warm_start_file, remedy)

    def is_there(self) -> bool:
        """Tell whether the folder in which the sweep began still exists; an object store is not asked."""
        return not isinstance(self.root, Path) or self.sweep_file.exists()

    def is_held(self) -> bool:
        """Tell whether a process runs a sweep in this folder."""
        if not isinstance(self.root, Path):
            return Lease(self.root / ".leases").is_held()
        return lock.is_held(self.root)

    def read_preflight(self) -> PreflightResults:
        """Read what the preflight checks found; empty before they ran."""
        if not self.preflight_file.exists():
            return PreflightResults()
        content = bytes_of(self.preflight_file)
        try:
            return PreflightResults.model_validate_json(content)
        except ValidationError as error:
            refuse_newer_json(content, self.preflight_file)
            raise InputError(
                f"{self.preflight_file} cannot be read ({error.error_count()} problems). "
                "Move it away: the preflight checks are asked again."
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one process; the lock goes with the process, however it ends.

        Raises:
            InputError: another process holds it, or the folder cannot be written.
        """
        if not isinstance(self.root, Path):
            with Lease(self.root / ".leases").held():
                yield
            return
        with lock.held(self.root):
            yield


def _scores(record: Record) -> Iterable[str]:
    return record.rungs[-1].scores if record.rungs else ()


def _object(file: Place, remedy: str) -> dict[str, Any]:
    """Read a JSON object; empty where there is no such file.

    Raises:
        InputError: it is damaged; the message ends with the remedy.
    """
    if not file.exists():
        return {}
    try:
        content = json.loads(bytes_of(file))
    except (ValueError, RecursionError, OSError) as error:
        raise InputError(f"{file} cannot be read ({error}). {remedy}") from error
    if not isinstance(content, dict):
        raise InputError(f"{file} cannot be read (it holds no JSON object). {remedy}")
    return content
