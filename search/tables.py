"""What `tuneoff check` and `tuneoff methods` print."""

from rich.console import Console
from rich.table import Table

import spaces
from search.checkup import Checkup
from search.config import Sweep
from trainables.errors import InputError


def print_methods(name: str | None) -> None:
    """Each method's hyperparameters: what is searched, and the untuned default."""
    console = Console()
    for space in _spaces(name):
        table = Table(title=space.name, title_justify="left")
        for column in ("hyperparameter", "searched", "default"):
            table.add_column(column)
        for key, dimension in space.distributions.items():
            table.add_row(key, spaces.describe(dimension), str(space.default[key]))
        console.print(table)


def _spaces(name: str | None) -> list[spaces.Space]:
    try:
        return [spaces.get(method) for method in ([name] if name else spaces.available())]
    except ValueError as error:
        raise InputError(str(error)) from error


def print_checkup(sweep: Sweep, checkup: Checkup) -> None:
    """The data of a sweep, its lengths, and examples as the model meets them."""
    console = Console(highlight=False, markup=False)
    counts = ", ".join(f"{count:,} {split}" for split, count in checkup.data.counts.items())
    console.print(f"Sweep {sweep.name}: {', '.join(sweep.methods)}. Data: {counts}.")
    for note in checkup.data.notes:
        console.print(f"Note: {note}")
    console.print(f"Scored after {', '.join(f'{rung:,}' for rung in checkup.rungs)} examples seen.\n")
    table = Table(title="Tokens", title_justify="left")
    for column in ("split", "text", "median", "longest", "limit", "cut"):
        table.add_column(column, justify="left" if column in ("split", "text") else "right")
    for row in checkup.lengths:
        table.add_row(
            row.split, row.what, str(row.median), str(row.longest), str(row.limit), f"{row.cut_share:.1%}"
        )
    console.print(table)
    for example in checkup.examples:
        console.rule(f"{example.id}: what the model reads")
        console.print(example.prompt)
        console.rule(f"{example.id}: what it learns to write")
        console.print(example.label)
