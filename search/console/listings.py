"""Print what `tuneoff check` and `tuneoff methods` show."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

import spaces
from trainables.amounts import number
from trainables.errors import InputError

if TYPE_CHECKING:  # they load torch, which the table of methods does not need
    from search.config import Sweep
    from search.console.checkup import Checkup


def print_methods(name: str | None) -> None:
    """Print all methods and their models, or one method's hyperparameters with range and default."""
    console = Console()
    if name is None:
        console.print(_matrix())
        return
    (space,) = _spaces(name)
    console.print(spaces.summary(name), highlight=False, soft_wrap=True)
    table = Table()
    for column in ("hyperparameter", "searched", "default"):
        table.add_column(column)
    for key, dimension in space.distributions.items():
        table.add_row(key, spaces.describe(dimension), str(space.default[key]))
    console.print(table)


def _matrix() -> Table:
    """Build a table, a row a method: paper, models, and what is searched beside the common ones."""
    common = "learning_rate", *spaces.COMMON
    table = Table(title="Methods", caption=f"Searched for all: {', '.join(common)}.", title_justify="left")
    for column in ("method", "what it is", "encoder-decoder", "causal", "searched too"):
        table.add_column(column)
    for space in _spaces(None):
        needed = spaces.needs(space.name)
        applies = f"with {needed}" if needed else "yes"
        own = ", ".join(key for key in space.distributions if key not in common)
        table.add_row(space.name, spaces.summary(space.name), applies, applies, own)
    return table


def _spaces(name: str | None) -> list[spaces.Space]:
    try:
        return [spaces.get(method) for method in ([name] if name is not None else spaces.available())]
    except ValueError as error:
        raise InputError(str(error)) from error


def print_checkup(sweep: "Sweep", checkup: "Checkup") -> None:
    """Print the data of a sweep, its lengths, and examples as the model sees them."""
    console = Console(highlight=False, markup=False)
    counts = ", ".join(f"{number(count)} {split}" for split, count in checkup.data.counts.items())
    console.print(f"Sweep {sweep.name}: {', '.join(sweep.methods)}. Data: {counts}.")
    for note in [*checkup.data.notes, *checkup.hints]:
        console.print(f"Note: {note}")
    console.print(f"Scored after {', '.join(number(rung) for rung in checkup.rungs)} examples seen.\n")
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
