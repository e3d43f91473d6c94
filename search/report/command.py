"""What `tuneoff report` does: it has charts drawn by a process that starts before all else is imported."""

from typing import TYPE_CHECKING

from search.report.drawing import drawn_beside
from trainables.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from trainables.storage.place import Place


def report_of(folder: str, *, live: bool, to: "Path | None" = None) -> "Place":
    """Write the report of a run folder, again and again while its sweep runs if `live`; return its path.

    Args:
        folder: the run folder, or its URL.
        live: go on while a process holds it.
        to: another folder to write it to; None: `report/` in the run folder.

    Raises:
        InputError: it is no run folder, one of its files cannot be read, or the report cannot be written.
    """
    with drawn_beside() as draw:
        from search.report.live import write_while_running
        from search.report.write import write_report

        try:
            return write_while_running(folder, draw=draw, to=to) if live else write_report(folder, draw, to)
        except OSError as error:
            raise InputError(
                f"{to or f'{folder}/report'} cannot be written ({error.strerror or error}). "
                "Name another folder with --to."
            ) from error
