"""Print a verdict in a terminal: its sentences, and a table with all intervals on one scale."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table

from search.console.progress import standings_table
from search.console.tally import standings
from search.records import Results
from search.verdict import Estimate, Verdict, score_name
from trainables.amounts import DASH, known, points
from trainables.cost.declared import CostFigure, tabled

CELLS = 30
"""Columns of the terminal that an interval's scale takes."""

DRAWN, ASCII = ("├", "─", "┤", "●"), ("|", "-", "|", "o")
"""An interval's left end, its line, its right end, and the mean."""


def print_verdict(results: Results, verdict: Verdict, console: Console) -> None:
    """Print where the sweep stands, unless all of it has ended; then what it found, and what weakens that."""
    rows = standings(results.sweep, results.records)
    if any(row.ended < row.planned for row in rows):
        console.print(standings_table(results.sweep, rows))
    if verdict.methods:
        console.print(_fitting(verdict, console))
    for sentence in (verdict.summary, *verdict.advice, *(f"Note: {note}" for note in verdict.notes)):
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)


def _fitting(verdict: Verdict, console: Console) -> Table:
    """Build the table with as many costs as the terminal has room for."""
    marks = ASCII if console.options.ascii_only else DRAWN
    figures = [f for f in tabled() if any(f.name in method.costs for method in verdict.methods)]
    unbounded = console.options.update(width=sys.maxsize)
    table = _methods(verdict, figures, marks)
    while figures and console.measure(table, options=unbounded).maximum > console.width:
        figures.pop()
        table = _methods(verdict, figures, marks)
    return table


def _methods(verdict: Verdict, figures: list[CostFigure], marks: tuple[str, ...]) -> Table:
    metric = score_name(verdict.metric)
    ends = [end for m in verdict.methods for end in (m.score.mean, m.score.low, m.score.high) if known(end)]
    low, high = min(ends), max(ends)
    table = Table(
        title=f"{metric} on test, with its 95 % interval", title_justify="left", box=box.SIMPLE_HEAD
    )
    table.add_column("method")
    table.add_column(metric, justify="right")
    table.add_column(f"{points(low)}{points(high).rjust(CELLS - len(points(low)))}", no_wrap=True)
    table.add_column("ties")
    for figure in figures:
        table.add_column(figure.column, justify="right")
    for row in verdict.methods:
        costs = [figure.unit.shown(row.costs.get(figure.name)) for figure in figures]
        drawn = interval(row.score, low, high, marks)
        table.add_row(row.method, points(row.score.mean), drawn, row.letters or DASH, *costs)
    return table


def interval(estimate: Estimate, low: float, high: float, marks: tuple[str, ...] = DRAWN) -> str:
    """Draw an estimate over a scale from `low` to `high`, `CELLS` wide; without limits only its mean."""
    left, line, right, dot = marks

    def place(value: float) -> int:
        return round((value - low) / (high - low) * (CELLS - 1)) if high > low else 0

    drawn = [" "] * CELLS
    if known(estimate.low) and known(estimate.high):
        begin, end = place(estimate.low), place(estimate.high)
        drawn[begin : end + 1] = line * (end - begin + 1)
        drawn[begin], drawn[end] = left, right
    drawn[place(estimate.mean)] = dot
    return "".join(drawn)
