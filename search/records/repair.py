"""Set damaged records and predictions aside, and report them.

Records are written whole, so a process that dies damages none; disks, editors and half-copied folders do.
"""

from search.records.record import Record, parse
from search.records.run_folder import RunFolder
from trainables.status import Status
from trainables.storage.place import Place, contents, remove

Found = list[tuple[Place, Record | None]]
"""Files, and the record in each; None where it cannot be read."""


def repair(run_folder: RunFolder) -> list[str]:
    """Set damaged records aside; restore what they were one rung before, where that is known.

    A trial of which nothing is left is proposed and run again, as is a run whose predictions are damaged.
    Only the process that holds the folder may call this.

    Returns:
        A line for each damaged file.

    Raises:
        InputError: a record is of a newer format; nothing was set aside.
    """
    found = run_folder.parsed_records()
    mended = [_mend(run_folder, *damaged) for damaged in _damaged(run_folder, found)]
    runs = {record.id: record for _, record in found if record is not None}
    damaged = run_folder.damaged_predictions(runs.values())
    return [*mended, *(_do_again(run_folder, runs[run], problem) for run, problem in damaged.items())]


def refuse_newer_records(run_folder: RunFolder) -> None:
    """Raise InputError where a record, or what would take a damaged one's place, is of a newer format."""
    _damaged(run_folder, run_folder.parsed_records())


def sound_records(run_folder: RunFolder) -> list[Record]:
    """Read the records that are not damaged."""
    return [record for _, record in run_folder.parsed_records() if record is not None]


def _damaged(run_folder: RunFolder, found: Found) -> Found:
    """List the files of damaged records, each with the version before it, None if that is damaged too."""
    return [(file, _before(run_folder, file)) for file, record in found if record is None]


def _before(run_folder: RunFolder, file: Place) -> Record | None:
    previous = run_folder.previous_version(file)
    return parse(contents([previous])[0], previous) if previous.exists() else None


def _mend(run_folder: RunFolder, file: Place, before: Record | None) -> str:
    aside = _set_aside(file)
    problem = f"The record {file} was damaged and is kept as {aside.name}"
    if before is None:
        return f"{problem}: its trial is run again."
    remark = f"Its record was damaged, kept as {aside.name}: gone on from rung {len(before.rungs)}."
    run_folder.write_record(before.model_copy(update={"remarks": [*before.remarks, remark]}))
    return f"{problem}: its trial goes on from rung {len(before.rungs)}."


def _do_again(run_folder: RunFolder, record: Record, problem: str) -> str:
    """Reset the record first: if this process then dies, the run itself replaces the predictions."""
    file = run_folder.predictions_file(record)
    kept = f"kept as {_aside(file).name}"
    changes = {
        "status": Status.RUNNING,
        "rungs": record.rungs[:-1],
        "ended": None,
        "remarks": [*record.remarks, f"Its predictions were damaged, {kept}: done again."],
    }
    run_folder.write_record(record.model_copy(update=changes))
    _set_aside(file)
    return f"{problem} They are {kept}: the run is done again."


def _aside(file: Place) -> Place:
    return file.with_name(f"{file.name}.damaged")


def _set_aside(file: Place) -> Place:
    aside = _aside(file)
    remove(aside)
    file.rename(aside)  # type: ignore[arg-type] # of the same kind
    return aside
