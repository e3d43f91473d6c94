"""A run folder whose records were damaged: set aside, and told.

Records are written whole, so a process that dies damages none; disks, editors and half-copied folders do.
"""

from search.records import Record, parse
from search.store import RunFolder
from trainables.place import Place, contents, remove


def repair(store: RunFolder) -> list[str]:
    """Set damaged records aside, and put in their place what they were one rung before, where that is known.

    A trial of which nothing is left is proposed and run again. Only who holds the folder may call this.

    Returns:
        A line for each damaged record.

    Raises:
        InputError: a record is of a newer format; nothing was set aside.
    """
    return [_mend(store, *damaged) for damaged in damaged_records(store)]


def damaged_records(store: RunFolder) -> list[tuple[Place, Record | None]]:
    """The files of damaged records, each with the version before it where that can be read.

    Raises:
        InputError: a record is of a newer format.
    """
    files = [file for file, record in store.parsed_records() if record is None]
    return [(file, _before(store, file)) for file in files]


def sound_records(store: RunFolder) -> list[Record]:
    """The records that can be read."""
    return [record for _, record in store.parsed_records() if record is not None]


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


def _set_aside(file: Place) -> Place:
    aside = file.with_name(f"{file.name}.damaged")
    remove(aside)
    file.rename(aside)  # type: ignore[arg-type] # of the same kind
    return aside
