"""A run folder whose records or predictions were damaged: set aside, and told.

Records are written whole, so a process that dies damages none; disks, editors and half-copied folders do.
"""

from search.records import Record, parse
from search.store import RunFolder
from trainables.place import Place, contents, remove

Found = list[tuple[Place, Record | None]]
"""Files, and the record in each; None where there is none that can be read."""


def repair(store: RunFolder) -> list[str]:
    """Set damaged records aside, and put in their place what they were one rung before, where that is known.

    A trial of which nothing is left is proposed and run again, and so is a run whose predictions are damaged.
    Only who holds the folder may call this.

    Returns:
        A line for each damaged file.

    Raises:
        InputError: a record is of a newer format; nothing was set aside.
    """
    found = store.parsed_records()
    mended = [_mend(store, *damaged) for damaged in _damaged(store, found)]
    runs = {record.id: record for _, record in found if record is not None}
    damaged = store.damaged_predictions(runs.values())
    return [*mended, *(_do_again(store, runs[run], told) for run, told in damaged.items())]


def refuse_newer_records(store: RunFolder) -> None:
    """Raise InputError where a record, or what would take a damaged one's place, is of a newer format."""
    _damaged(store, store.parsed_records())


def sound_records(store: RunFolder) -> list[Record]:
    """The records that can be read."""
    return [record for _, record in store.parsed_records() if record is not None]


def _damaged(store: RunFolder, found: Found) -> Found:
    """The files of damaged records, each with the version before it where that can be read."""
    return [(file, _before(store, file)) for file, record in found if record is None]


def _before(store: RunFolder, file: Place) -> Record | None:
    previous = store.previous_version(file)
    return parse(contents([previous])[0], previous) if previous.exists() else None


def _mend(store: RunFolder, file: Place, before: Record | None) -> str:
    aside = _set_aside(file)
    told = f"The record {file} was damaged and is kept as {aside.name}"
    if before is None:
        return f"{told}: its trial is run again."
    remark = f"Its record was damaged, kept as {aside.name}: gone on from rung {len(before.rungs)}."
    store.write_record(before.model_copy(update={"remarks": [*before.remarks, remark]}))
    return f"{told}: its trial goes on from rung {len(before.rungs)}."


def _do_again(store: RunFolder, record: Record, told: str) -> str:
    """The record first: if this process ends before its predictions are set aside, the run replaces them."""
    file = store.predictions_file(record)
    kept = f"kept as {_aside(file).name}"
    changes = {
        "status": "running",
        "rungs": record.rungs[:-1],
        "ended": None,
        "remarks": [*record.remarks, f"Its predictions were damaged, {kept}: done again."],
    }
    store.write_record(record.model_copy(update=changes))
    _set_aside(file)
    return f"{told} They are {kept}: the run is done again."


def _aside(file: Place) -> Place:
    return file.with_name(f"{file.name}.damaged")


def _set_aside(file: Place) -> Place:
    aside = _aside(file)
    remove(aside)
    file.rename(aside)  # type: ignore[arg-type] # of the same kind
    return aside
