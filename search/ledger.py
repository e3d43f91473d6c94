"""The records as the truth of a sweep: every resume is rebuilt from them, from nothing else."""

import shutil

from search.records import Record, Rung, Stop, now
from search.results import winner
from search.store import RunFolder
from trainables.errors import InputError

Report = dict[str, object]
"""What a trial tells at a rung: see `trainables.trial.Report`."""


class Ledger:
    """All records of a run folder, in memory and on disk. Only the driver writes it."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.records = {record.id: record for record in folder.read_records()}
        self.stops: dict[str, Stop] = {}
        """Stops that were decided for trials whose report is not written yet."""

    def qualifying(self, method: str) -> list[Record]:
        """The trials of a method, by number.

        Raises:
            InputError: a number is missing: a record was lost.
        """
        found = [r for r in self.records.values() if r.phase == "qualifying" and r.method == method]
        found.sort(key=lambda record: record.number)
        if [record.number for record in found] != list(range(len(found))):
            numbers = ", ".join(str(record.number) for record in found)
            raise InputError(
                f"Records of {method} are missing from {self.folder.root / 'trials' / method}: "
                f"only the numbers {numbers} are there. Restore them from a backup."
            )
        return found

    def begin(self, record: Record) -> None:
        """Enter a new trial, before its first step."""
        assert record.id not in self.records, record.id
        self._write(record)

    def report(self, trial: str, report: Report) -> Record:
        """Enter what a trial told at a rung; a trial that is taken up again repeats rungs, to no effect."""
        record = self.records[trial]
        rung = Rung.model_validate({key: value for key, value in report.items() if key in Rung.model_fields})
        if rung.rung < len(record.rungs) and report["status"] == "running":
            return record
        stop = self.stops.pop(trial, None)
        status = "stopped" if stop else report["status"]
        record = record.model_copy(
            update={
                "rungs": [*record.rungs[: rung.rung], rung],
                "status": status,
                "stop": stop,
                "error": report["message"],
                "ended": None if status == "running" else now(),
            }
        )
        self._write(record)
        self._drop_checkpoints(record)
        return record

    def retry(self, trial: str) -> Record:
        """Count a failure after which the trial is taken up again."""
        record = self.records[trial]
        record = record.model_copy(update={"failures": record.failures + 1})
        self._write(record)
        return record

    def fail(self, trial: str, error: str) -> Record:
        """End a trial that failed for good."""
        record = self.records[trial].model_copy(update={"status": "failed", "error": error, "ended": now()})
        self._write(record)
        self._drop_checkpoints(record)
        return record

    def replace(self, record: Record) -> None:
        """Enter a run of the final anew; what an earlier one left is removed."""
        for folder in (self.folder.checkpoints(record), self.folder.output(record)):
            shutil.rmtree(folder, ignore_errors=True)
        self._write(record)

    def _write(self, record: Record) -> None:
        self.folder.write_record(record)
        self.records[record.id] = record

    def _drop_checkpoints(self, record: Record) -> None:
        """Of the trials that ended keep only the best of each method on disk; of the final none."""
        if record.status == "running":
            return
        losers = [record]
        if record.phase == "qualifying":
            completed = [r for r in self.qualifying(record.method) if r.status == "completed"]
            if winner(completed) is record:
                losers = [r for r in completed if r is not record]
        for loser in losers:
            shutil.rmtree(self.folder.checkpoints(loser), ignore_errors=True)
