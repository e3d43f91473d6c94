"""Open the storage from which others read the studies: a journal in the run folder, or a database."""

import os
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy.exc import SQLAlchemyError

from search.records import RunFolder
from search.studies.mirror import Mirror
from search.studies.paused import PausingStorage
from trainables.errors import InputError

IN_MEMORY = "sqlite://"


def study_storage(url: str | None, folder: RunFolder) -> BaseStorage:
    """Open the storage of a sweep's studies.

    Args:
        url: of a database, as `optuna.storages.get_storage` takes it, with ${NAME} for variables of the
            environment. None: a new journal file in the run folder, which replaces the one there.
        folder: the run folder.

    Raises:
        InputError: there is no such database, or no driver for it.
    """
    if url is None:
        return Mirror(_new_journal(folder.study_file))
    if url == IN_MEMORY:  # nobody else can read it
        return PausingStorage()
    try:
        return Mirror(optuna.storages.get_storage(os.path.expandvars(url)))
    except (ImportError, ValueError, RuntimeError, SQLAlchemyError) as error:
        raise InputError(f"search.study_storage: {url!r} cannot be opened: {error}") from error


def _new_journal(file: Path) -> JournalStorage:
    """Create an empty journal; readers take each line whole, without a lock.

    The lock is for users who write notes in optuna-dashboard. It is a file, not a link as by default, which
    some file systems do not have. A driver that was killed may have left it.
    """
    lock = Path(f"{file}.lock")
    for left in (file, lock):
        left.unlink(missing_ok=True)
    return JournalStorage(JournalFileBackend(str(file), JournalFileOpenLock(str(file))))
