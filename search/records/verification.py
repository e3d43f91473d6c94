"""Look at every file of a run folder, and change none: `tuneoff verify`."""

from collections.abc import Callable, Iterator

from search.config import Sweep
from search.records.record import Record
from search.records.results import BASELINE, sweep_of
from search.records.run_folder import RunFolder
from trainables.errors import InputError
from trainables.status import Status
from trainables.storage.place import Place, local_copy
from trainables.storage.sums import SUMS, is_whole


def verify(folder: str | Place) -> Iterator[str]:
    """Yield what is wrong with a run folder, a line a finding; nothing where it is whole.

    Raises:
        InputError: it is no run folder, or its sweep cannot be read.
    """
    sweep, run = sweep_of(folder), RunFolder(folder)
    for read in (run.read_provenance, run.read_preflight, run.read_warm_start):
        yield from _told(read)
    found = run.parsed_files()
    yield from (f"The record {file} cannot be read." for file, record in found if record is None)
    yield from run.misplaced(found)
    records = [record for file, record in found if record is not None and run.record_file(record) == file]
    yield from _strangers(sweep, records)
    yield from _gaps(sweep, [file for file, _ in found])
    for record in records:
        yield from _output(run, record)
        yield from _checkpoints(run, record)


def _told(read: Callable[[], object]) -> Iterator[str]:
    try:
        read()
    except InputError as error:
        yield str(error)


def _strangers(sweep: Sweep, records: list[Record]) -> Iterator[str]:
    for method in dict.fromkeys(record.method for record in records if not record.is_foreign):
        if method not in (*sweep.methods, BASELINE):
            yield f"There are records of {method}, which the sweep does not name."


def _gaps(sweep: Sweep, files: list[Place]) -> Iterator[str]:
    """Name the trials between the first and the last that have no file; later ones may still be to come."""
    for method in sweep.methods:
        stems = [file.stem for file in files if file.parent.name == method]
        numbers = {int(stem) for stem in stems if stem.isdigit()}
        if gaps := sorted(set(range(max(numbers, default=-1))) - numbers):
            yield f"{method}: the records of its trials {', '.join(map(str, gaps))} are missing."


def _output(run: RunFolder, record: Record) -> Iterator[str]:
    """Check what a completed run on the test split has left."""
    if record.split != "test" or record.status is not Status.COMPLETED or record.origin == "quoted":
        return
    if not run.predictions_file(record).exists():
        yield f"{record.id}: its predictions are gone: {run.predictions_file(record)}"
    else:
        yield from _told(lambda: run.check_output(record))
    if record.method != BASELINE and not record.is_foreign:
        yield from _sealed(record, run.adapter(record), "its weights")


def _checkpoints(run: RunFolder, record: Record) -> Iterator[str]:
    folders: list[Place] = list(run.checkpoints(record).glob("[0-9]*"))
    for folder in sorted(folders, key=lambda place: place.name):
        yield from _sealed(record, folder, "its checkpoint")


def _sealed(record: Record, folder: Place, what: str) -> Iterator[str]:
    if not folder.is_dir():
        yield f"{record.id}: {what}, {folder}, are gone."
    elif not (folder / SUMS).exists():  # of an older tuneoff, which sealed no weights
        return
    else:
        try:
            with local_copy(folder) as copy:
                if not is_whole(copy):
                    yield f"{record.id}: {what}, {folder}, differ from their checksums."
        except InputError as error:
            yield str(error)
