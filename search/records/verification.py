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


def verify(folder: str | Place, *, contents: bool = True) -> Iterator[str]:
    """Yield what is wrong with a run folder, a line a finding; nothing where it is whole.

    Args:
        folder: the run folder, a path or a URL.
        contents: False: take predictions, weights and checkpoints for whole where they are there, and read
            the records and the few files beside them alone.

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
    yield from _outside(sweep, records)
    yield from _gaps(sweep, [file for file, _ in found])
    for record in records:
        yield from _output(run, record, contents=contents)
        if contents:
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


def _outside(sweep: Sweep, records: list[Record]) -> Iterator[str]:
    spaces = sweep.spaces()
    for record in (record for record in records if record.phase == "search" and record.method in spaces):
        if objection := spaces[record.method].objection(record.hyperparameters):
            yield f"{record.id}: its hyperparameters are of no trial of this sweep: {objection}."


def _gaps(sweep: Sweep, files: list[Place]) -> Iterator[str]:
    """Name the trials between the first and the last that have no file; later ones may still be to come."""
    for method in sweep.methods:
        stems = [file.stem for file in files if file.parent.name == method]
        numbers = {int(stem) for stem in stems if stem.isdigit()}
        if gaps := sorted(set(range(max(numbers, default=-1))) - numbers):
            yield f"{method}: the records of its trials {', '.join(map(str, gaps))} are missing."


def _output(run: RunFolder, record: Record, *, contents: bool) -> Iterator[str]:
    """Check what a completed run on the test split has left."""
    if record.split != "test" or record.status is not Status.COMPLETED or record.origin == "quoted":
        return
    if not run.predictions_file(record).exists():
        yield f"{record.id}: its predictions are gone: {run.predictions_file(record)}"
    elif contents:
        yield from _told(lambda: run.check_output(record))
    if record.method != BASELINE and not record.is_foreign:
        yield from _sealed(record, run.adapter(record), "its weights", contents=contents)


def _checkpoints(run: RunFolder, record: Record) -> Iterator[str]:
    folders: list[Place] = list(run.checkpoints(record).glob("[0-9]*"))
    for folder in sorted(folders, key=lambda place: place.name):
        yield from _sealed(record, folder, "its checkpoint", contents=True)


def _sealed(record: Record, folder: Place, what: str, *, contents: bool) -> Iterator[str]:
    if not folder.is_dir():
        yield f"{record.id}: {what}, {folder}, are gone."
    elif not contents or not (folder / SUMS).exists():  # of an older tuneoff, which sealed no weights
        return
    else:
        try:
            with local_copy(folder) as copy:
                if not is_whole(copy):
                    yield f"{record.id}: {what}, {folder}, differ from their checksums."
        except InputError as error:
            yield str(error)
