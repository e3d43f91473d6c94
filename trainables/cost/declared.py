"""The cost figures that settings, verdict and report know, each declared once; less is better of all.

The order of the table is that in which reports show them. A figure that a worker records without being
declared here is kept in its record and shown in trials.csv.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from trainables.amounts import duration, number, prefixed, quantity, size


@dataclass(frozen=True)
class Unit:
    """How amounts of a unit are drawn."""

    symbol: str
    """Beside the label on a chart's axis and in a heading: `s`; empty for what is only counted."""
    shown: Callable[[float | None], str]
    """An amount in a table's cell; a dash where it is not known."""
    divisor: float = 1.0
    """What an amount is divided by on a chart's axis, to be in `symbol`."""
    is_in_cells: bool = False
    """Whether `shown` writes the unit, so that a heading leaves it out."""
    short: Callable[[float], str] | None = None
    """An amount with its unit where there is little room; None: as `shown`."""

    def brief(self, value: float) -> str:
        """Format an amount beside a bar."""
        return (self.short or self.shown)(value)


COUNT = Unit("", number, short=prefixed)
OPERATIONS = Unit("", prefixed)
PERCENT = Unit("%", quantity)
SECONDS = Unit("s", quantity, short=duration)
SECONDS_PER_EXAMPLE = Unit("s an example", quantity)
JOULES = Unit("J", quantity)
BYTES = Unit("MiB", size, divisor=2.0**20, is_in_cells=True)


@dataclass(frozen=True)
class CostFigure:
    """One cost of a run."""

    name: str
    """As records name it, with its unit: `train_seconds`."""
    label: str
    """In a sentence: `training time`."""
    unit: Unit
    over_seeds: Literal["mean", "max"]
    """What it is of a method, from the runs of its seeds."""
    searched: int | None = None
    """Place among the costs that `search.objectives` may name; None: no search weighs it."""
    column: str = ""
    """Heading of its column in report.md; empty: neither that nor methods.csv has it."""
    is_axis: bool = True
    """Whether methods are compared on it: a column of the page, a chart, a front, a recommendation."""

    @property
    def title(self) -> str:
        """The label with a capital, without a unit."""
        return self.label[0].upper() + self.label[1:]

    @property
    def axis_title(self) -> str:
        """The title of a chart's axis: `Peak memory (MiB)`."""
        return f"{self.title} ({self.unit.symbol})" if self.unit.symbol else self.title

    @property
    def heading(self) -> str:
        """The heading of a table's column: `Training time (s)`, but `Peak memory`."""
        return self.title if self.unit.is_in_cells else self.axis_title


COST_FIGURES = {
    figure.name: figure
    for figure in (
        CostFigure(
            "trainable_parameters", "trainable parameters", COUNT, "max", searched=3, column="Trainable"
        ),
        CostFigure(
            "trainable_percent", "share of parameters", PERCENT, "max", column="% of total", is_axis=False
        ),
        CostFigure("train_seconds", "training time", SECONDS, "mean", searched=1, column="Train s"),
        CostFigure("train_flops", "training FLOPs", OPERATIONS, "mean", searched=4),
        CostFigure("energy_joules", "energy", JOULES, "mean"),
        CostFigure("peak_memory_bytes", "peak memory", BYTES, "max", searched=2, column="Peak memory"),
        CostFigure("adapter_bytes", "size on disk", BYTES, "max", column="On disk"),
        CostFigure("generation_seconds_per_example", "generation time", SECONDS_PER_EXAMPLE, "mean"),
        # Not of a run: all trials of a method's search, devices times seconds.
        CostFigure("search_seconds", "device time of the search", SECONDS, "mean"),
    )
}
"""Figures by their names."""


def searched() -> list[str]:
    """The names of the costs that a search may weigh against quality."""
    places = {f.name: f.searched for f in COST_FIGURES.values() if f.searched is not None}
    return sorted(places, key=places.__getitem__)


def axes() -> list[str]:
    """The names of the costs that methods are compared on."""
    return [figure.name for figure in COST_FIGURES.values() if figure.is_axis]


def tabled() -> list[CostFigure]:
    """The figures that have a column in report.md and methods.csv."""
    return [figure for figure in COST_FIGURES.values() if figure.column]
