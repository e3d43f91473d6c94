"""Every path of a run folder, and the writing of its records."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from search.gates import Preflight
from search.records import Record
from trainables.atomic import write_text
from trainables.errors import InputError


class RunFolder:
    """The folder of one sweep. Nothing else in tuneoff spells a path inside it.

    All state is found from `root`, so the folder may be moved between runs.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @property
    def sweep_file(self) -> Path:
        return self.root / "sweep.yaml"

    @property
    def provenance_file(self) -> Path:
        return self.root / "provenance.json"

    @property
    def preflight_file(self) -> Path:
        return self.root / "preflight.json"

    @property
    def study_file(self) -> Path:
        return self.root / "study.db"

    @property
    def tune(self) -> Path:
        return self.root / "tune"

    @property
    def report(self) -> Path:
        return self.root / "report"

    def record_file(self, record: Record) -> Path:
        if record.phase == "qualifying":
            return self.root / "trials" / f"{record.id}.json"
        return self.output(record) / "record.json"

    def checkpoints(self, record: Record) -> Path:
        """Where the trial keeps its latest checkpoint."""
        return self.root / "checkpoints" / record.phase / record.id

    def output(self, record: Record) -> Path:
        """Where a run of the final leaves its predictions and its adapter."""
        return self.root / "final" / record.id

    def predictions_file(self, record: Record) -> Path:
        return self.output(record) / "predictions.parquet"

    def adapter(self, record: Record) -> Path:
        return self.output(record) / "adapter"

    def write_record(self, record: Record) -> None:
        write_text(self.record_file(record), record.model_dump_json(indent=1) + "\n")

    def read_records(self) -> list[Record]:
        """All records, in the order of their ids.

        Raises:
            InputError: a record cannot be read.
        """
        files = [*self.root.glob("trials/*/[!.]*.json"), *self.root.glob("final/*/[!.]*/record.json")]
        return [_read_record(file) for file in sorted(files)]

    def write_json(self, path: Path, content: dict[str, Any]) -> None:
        write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def read_provenance(self) -> dict[str, Any]:
        """What was recorded about the run; empty before the first start."""
        if not self.provenance_file.exists():
            return {}
        try:
            content: dict[str, Any] = json.loads(self.provenance_file.read_bytes())
        except ValueError as error:
            raise InputError(
                f"{self.provenance_file} cannot be read ({error}). Move it away: it is written anew."
            ) from error
        return content

    def is_held(self) -> bool:
        """Whether a process runs a sweep in this folder."""
        try:
            with (self.root / ".lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def read_preflight(self) -> Preflight:
        """What the gates found; empty before they were asked."""
        if not self.preflight_file.exists():
            return Preflight()
        try:
            return Preflight.model_validate_json(self.preflight_file.read_bytes())
        except ValidationError as error:
            raise InputError(
                f"{self.preflight_file} cannot be read ({error.error_count()} problems). "
                "Move it away: the gates are asked again."
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one process; the lock goes with the process, however it ends.

        Raises:
            InputError: another process holds it, or the folder cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise InputError(
                f"The run folder {self.root} cannot be written ({error.strerror}). "
                "Name another one with --folder, or set `storage` in the sweep file."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"Another tuneoff process is running in {self.root}.") from error
        else:
            yield
        finally:
            os.close(descriptor)


def _read_record(file: Path) -> Record:
    try:
        return Record.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise InputError(
            f"The record {file} cannot be read ({error.error_count()} problems). "
            "Move it away to run this trial again, or restore it from a backup."
        ) from error
