"""Where commands print."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

LOG_WIDTH = 120
"""Columns of a table in a log file."""


def terminal() -> "Console":
    """Return the console of standard output; in a log file tables have a width of their own."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    return console
