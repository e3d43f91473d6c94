"""The studies of a run folder, as a notebook and optuna-dashboard open them."""

from pathlib import Path

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend


def journal(file: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(file)))
