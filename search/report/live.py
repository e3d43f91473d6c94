"""The report of a sweep that is running, kept up to date."""

import time

from search.records import RunFolder
from search.report.drawing import Draw, draw
from search.report.write import write_report
from trainables.storage.place import Place

SECONDS = 30
"""Between the end of one report and the next."""


def write_while_running(
    folder: str | Place, seconds: float = SECONDS, draw: Draw = draw, to: Place | None = None
) -> Place:
    """Write the report until no process holds the folder any more, and then once again; return its path."""
    while RunFolder(folder).is_held():
        write_report(folder, draw, to)
        time.sleep(seconds)
    return write_report(folder, draw, to)
