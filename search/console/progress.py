"""Show the progress of `tuneoff run`: a line an event, and a table of where the sweep stands."""

import time
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

from search.config import Sweep
from search.console.check_table import check_line, check_lines, check_table, latest_line
from search.console.tally import Standing, seconds_left, standings
from search.records import Event, PreflightResults, Record, last_line
from search.verdict import score_name
from trainables.amounts import duration, number, rough_duration
from trainables.preflight.findings import Findings
from trainables.status import Status

TABLE_SECONDS = 60
"""Time between two tables, where the output is no terminal."""


class Progress:
    """A listener of a sweep's events, and a context that keeps the table on the screen."""

    def __init__(self, sweep: Sweep, records: Iterable[Record], console: Console) -> None:
        self.sweep = sweep
        self.records = {record.id: record for record in records}
        self.console = console
        self.live: set[str] = set()
        self._checked: list[str] | None = None
        self.seen_running = 1
        self._printed = self._begun = time.monotonic()
        self._checking: dict[str, Findings] | None = {}
        """Of methods whose checks are under way; None: there is something else to show."""
        self._live = Live(get_renderable=self._shown, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()
        if self.records:
            self.console.print(self.table())

    def __call__(self, event: Event, record: Record) -> None:
        self.records[record.id] = record
        self._checking = None
        if event == "begin":
            self.live.add(record.id)
        if record.status is not Status.RUNNING:
            self.live.discard(record.id)
        self.seen_running = max(self.seen_running, len(self.live))
        self._print(self.line(event, record))
        if not self.console.is_terminal and time.monotonic() - self._printed > TABLE_SECONDS:
            self._printed = time.monotonic()
            self.console.print(self.table())

    def checks(self, preflight: PreflightResults) -> None:
        """Print how a method's preflight checks went; when all were checked, the whole table.

        Each check on its own is a line too, or, on a terminal, one that comes and goes.
        """
        checked = list(preflight.methods)
        if self._checked is None:  # some may have been checked before this process began
            self._checked = checked if preflight.under_way else checked[:-1]
        fresh = [name for name in checked if name not in self._checked]
        self._checked = checked
        self._checking = None if preflight.is_whole else preflight.under_way
        self.sweep = preflight.admitted(self.sweep)
        if preflight.is_whole:
            self.console.print(check_table(preflight), soft_wrap=True, highlight=False)
        elif fresh:
            self._print(check_line(fresh[-1], preflight.methods[fresh[-1]]))
        elif not self.console.is_terminal:
            self._print(latest_line(preflight.under_way))

    def _print(self, line: str) -> None:
        line = f"[dim]{time.strftime('%H:%M:%S')}[/] {line}"
        self.console.print(line, soft_wrap=True, highlight=False)

    def _shown(self) -> RenderableType:
        """What stays at the bottom of a terminal: where the checks stand, then where the sweep does."""
        if self._checking is None:
            return self.table()
        lines = [*check_lines(self._checking)] or ["Starting workers"]
        since = duration(time.monotonic() - self._begun)
        return Group(*(Spinner("dots", f"[dim]{since}[/] {line}") for line in lines))

    def line(self, event: Event, record: Record) -> str:
        """Format an event as a line."""
        name = f"[bold]{record.id}[/]"
        if event == "begin":
            return f"{name} begins{_chosen(record)}" if not record.rungs else f"{name} goes on"
        befell = {
            "retry": f"failed and is taken up again ({record.failures})",
            "preempted": f"lost its machine and goes on elsewhere ({record.preemptions})",
            "device failed": f"met a CUDA error and goes on in a new worker ({record.device_failures})",
            "needs whole GPU": "ran out of memory beside others and waits for a GPU to itself",
        }
        if event in befell:
            return f"{name} {befell[event]}"
        if event == "failed":
            return f"{name} {_coloured(Status.FAILED)}: {escape(last_line(record.error) or '')}"
        return f"{name} {self._rung(record)}"

    def _rung(self, record: Record) -> str:
        rung = record.rungs[-1]
        at, word = f"{number(rung.examples)} examples", _coloured(record.status)
        if record.status is Status.OUT_OF_MEMORY:
            return f"[{record.status.facts.colour}]{escape(record.error or '')}[/]"
        if record.status.facts.has_failed:
            return f"{word} after {at}: {escape(record.error or '')}"
        if rung.score is None:
            return f"{word}: {record.stop.reason} after {at}" if record.stop else f"has seen {at}"
        scored = f"{score_name(self.sweep.task.metric)} {rung.score:.2f} after {at}"
        if record.stop is not None:
            return f"{word}: {scored}, {record.stop.reason}"
        return scored if record.status is Status.RUNNING else f"{word}: {scored}"

    def table(self) -> Table:
        """Build the table of where each method stands."""
        records = list(self.records.values())
        left = seconds_left(self.sweep, records, self.seen_running)
        rest = f", about {rough_duration(left)} left" if left else ""
        return standings_table(self.sweep, standings(self.sweep, records, self.live), rest)


def standings_table(sweep: Sweep, rows: Iterable[Standing], rest: str = "") -> Table:
    """Build a table of where each method stands; `rest` follows the sweep's name in its title."""
    table = Table(title=f"{sweep.name}{rest}", title_justify="left")
    for column in ("method", "phase"):
        table.add_column(column)
    pauses = ["paused"] if sweep.search.scheduler == "promote" else []
    best = f"best {score_name(sweep.task.metric)}"
    for column in ("done", "running", *pauses, "stopped", "failed", best, "time"):
        table.add_column(column, justify="right")
    for row in rows:
        if row.running or row.ended or row.phase == "search":
            table.add_row(*_cells(row, [row.paused] if pauses else []))
    return table


def _coloured(status: Status) -> str:
    return f"[{status.facts.colour}]{status}[/]"


def _cells(row: Standing, paused: list[int]) -> list[str]:
    best = "-" if row.best_score is None else f"{row.best_score:.2f}"
    done = f"{row.ended}/{row.planned}"
    counts = [str(count or "-") for count in (row.running, *paused, row.stopped, row.failed)]
    return [row.method, row.phase, done, *counts, best, duration(row.seconds)]


def _chosen(record: Record) -> str:
    if record.phase == "audit":
        return f": {record.of_trial}, which was stopped, to its end"
    if record.split == "test":
        return f" on test with {record.of_trial}'s hyperparameters" if record.of_trial else " on test"
    values = ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in record.hyperparameters.items()
    )
    return f" ({'default configuration: ' if record.origin == 'default' else ''}{values})"
