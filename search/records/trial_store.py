"""Keep the records of a sweep, from which alone every resume is rebuilt."""

from collections import defaultdict

from search.records.audit import drawn
from search.records.record import Pause, Record, Stop, now
from search.records.results import winner
from search.records.run_folder import RunFolder
from trainables.rung_report import RungReport
from trainables.status import Status
from trainables.storage.place import remove


class TrialStore:
    """All records of a run folder, in memory and on disk. Only the driver writes it.

    Args:
        folder: where they lie.
        audits: stopped trials of each method whose checkpoints are kept to be audited.
    """

    def __init__(self, folder: RunFolder, audits: int = 0) -> None:
        self.folder = folder
        self.audits = audits
        self.records: dict[str, Record] = {}
        self._trials: dict[str, dict[int, Record]] = defaultdict(dict)
        for record in folder.read_records():
            self._enter(record)
        self._best = {method: winner(self.search(method)) for method in self._trials}
        self._to_audit = {method: drawn(self.search(method), audits) for method in self._trials}

    def search(self, method: str) -> list[Record]:
        """List the trials of a method, by number; one whose record was lost is missing."""
        trials = self._trials.get(method, {})
        return [trials[number] for number in sorted(trials)]

    def begin(self, record: Record) -> None:
        """Enter a new trial, before its first step.

        A trial whose record was lost may have left a checkpoint, of other hyperparameters perhaps.
        """
        assert record.id not in self.records, record.id
        if record.phase == "search":
            remove(self.folder.checkpoints(record))
        self._write(record)

    def report(self, trial: str, report: RungReport, ends: Stop | Pause | None = None) -> Record:
        """Enter what a trial reports at a rung; with `ends` it leaves its worker there.

        A trial that was restarted repeats rungs, to no effect.
        """
        record = self.remark(trial, *report.remarks)
        if report.rung < len(record.rungs) and not report.status.has_ended:
            return record
        stop = ends if isinstance(ends, Stop) else None
        status = Status.STOPPED if stop else Status.PAUSED if ends else report.status
        record = record.model_copy(
            update={
                "rungs": [*record.rungs[: report.rung], report.result()],
                "status": status,
                "stop": stop,
                "error": report.message,
                "ended": now() if status.has_ended else None,
            }
        )
        self._write(record)
        self._drop_checkpoints(record)
        return record

    def stop(self, trial: str, stop: Stop) -> Record:
        """End a trial that is paused."""
        record = self.records[trial].model_copy(
            update={"status": Status.STOPPED, "stop": stop, "ended": now()}
        )
        self._write(record)
        self._drop_checkpoints(record)
        return record

    def go_on(self, trial: str) -> Record:
        """Have a trial that is paused go on from its checkpoint."""
        record = self.records[trial].model_copy(update={"status": Status.RUNNING})
        self._write(record)
        return record

    def remark(self, trial: str, *remarks: str) -> Record:
        """Enter what occurred to a trial without ending it, once."""
        record = self.records[trial]
        if new := [remark for remark in remarks if remark not in record.remarks]:
            self._write(record.model_copy(update={"remarks": [*record.remarks, *new]}))
        return self.records[trial]

    def retry(self, trial: str) -> Record:
        """Count a failure after which the trial is restarted."""
        record = self.records[trial]
        record = record.model_copy(update={"failures": record.failures + 1})
        self._write(record)
        return record

    def preempt(self, trial: str) -> Record:
        """Count the loss of the trial's machine; the trial goes on elsewhere."""
        record = self.records[trial]
        record = record.model_copy(update={"preemptions": record.preemptions + 1})
        self._write(record)
        return record

    def lose_device(self, trial: str) -> Record:
        """Count a device that failed under the trial, which goes on in a new process."""
        record = self.records[trial]
        record = record.model_copy(update={"device_failures": record.device_failures + 1})
        self._write(record)
        return record

    def require_whole_gpu(self, trial: str) -> Record:
        """Have a trial that ran out of memory beside others tried again with a GPU to itself."""
        record = self.records[trial].model_copy(update={"whole_gpu": True})
        self._write(record)
        return record

    def fail(self, trial: str, error: str, status: Status = Status.FAILED) -> Record:
        """End a trial that failed for good."""
        record = self.records[trial].model_copy(update={"status": status, "error": error, "ended": now()})
        self._write(record)
        self._drop_checkpoints(record)
        return record

    def replace(self, record: Record) -> None:
        """Enter a run of the final, or an audit, anew; remove what an earlier one left."""
        for folder in (self.folder.checkpoints(record), self.folder.output(record)):
            remove(folder)
        self._write(record)

    def _write(self, record: Record) -> None:
        self.folder.write_record(record)
        self._enter(record)

    def _enter(self, record: Record) -> None:
        self.records[record.id] = record
        if record.phase == "search":
            self._trials[record.method][record.number] = record

    def _drop_checkpoints(self, record: Record) -> None:
        """Remove those of trials that ended, but for the best of each method and those to audit."""
        if not record.status.has_ended:
            return
        losers = [record]
        if record.phase == "search" and record.status is Status.COMPLETED:
            losers = self._beaten_by(record)
        elif record.phase == "search" and record.status is Status.STOPPED:
            losers = self._not_to_audit(record)
        for loser in losers:
            remove(self.folder.checkpoints(loser))

    def _beaten_by(self, record: Record) -> list[Record]:
        """List the completed trials of its method but the best; the record itself if another is better."""
        best = self._best.get(record.method)
        if winner([record] if best is None else [best, record]) is not record:
            return [record]
        self._best[record.method] = record
        return [r for r in self.search(record.method) if r.status is Status.COMPLETED and r is not record]

    def _not_to_audit(self, record: Record) -> list[Record]:
        """List the stopped trial of its method, if any, that is not to be audited any more."""
        first = drawn([*self._to_audit.get(record.method, []), record], self.audits + 1)
        self._to_audit[record.method] = first[: self.audits]
        return first[self.audits :]
