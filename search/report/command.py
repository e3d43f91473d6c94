"""What `tuneoff report` does: it has charts drawn by a process that starts before all else is imported."""

from typing import TYPE_CHECKING

from search.report.drawing import drawn_beside

if TYPE_CHECKING:
    from trainables.storage.place import Place


def report_of(folder: str, *, live: bool) -> "Place":
    """Write the report of a run folder, again and again while its sweep runs if `live`; return its path.

    Raises:
        InputError: it is no run folder, or one of its files cannot be read.
    """
    with drawn_beside() as draw:
        from search.report.live import write_while_running
        from search.report.write import write_report

        return write_while_running(folder, draw=draw) if live else write_report(folder, draw)
