"""A run folder whose records were damaged: set aside, and told.

Records are written whole, so a process that dies damages none; disks, editors and half-copied folders do.
"""

from pydantic import ValidationError

from search.records import Record
from search.store import RunFolder
from trainables.place import Place, bytes_of


def repair(store: RunFolder) -> list[str]:
    """Set damaged records aside, and put in their place what they were one rung before, where that is known.

    A trial of which nothing is left is proposed and run again. Only who holds the folder may call this.

    Returns:
        A line for each damaged record.
    """
    return [_mend(store, file) for file in store.record_files() if _sound(file) is None]


def sound_records(store: RunFolder) -> list[Record]:
    """The records that can be read."""
    return [record for file in store.record_files() if (record := _sound(file)) is not None]


def _mend(store: RunFolder, file: Place) -> str:
    aside = file.with_name(f"{file.name}.damaged")
    file.rename(aside)  # type: ignore[arg-type] # of the same kind
    told = f"The record {file} was damaged and is kept as {aside.name}"
    record = _sound(store.previous_version(file))
    if record is None:
        return f"{told}: its trial is run again."
    remark = f"Its record was damaged, kept as {aside.name}: gone on from rung {len(record.rungs)}."
    store.write_record(record.model_copy(update={"remarks": [*record.remarks, remark]}))
    return f"{told}: its trial goes on from rung {len(record.rungs)}."


def _sound(file: Place) -> Record | None:
    """The record in a file; None where it is damaged or there is none."""
    try:
        return Record.model_validate_json(bytes_of(file))
    except (FileNotFoundError, ValidationError):
        return None
