"""What `tuneoff run` and `tuneoff check` print of the gates: a table, and a line for each that is no pass."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from search.gates import Preflight
from trainables.preflight.findings import GATES, Findings, Gate

COLOURS = {"pass": "green", "warn": "yellow", "fail": "red"}


def gate_line(method: str, findings: Findings) -> str:
    """How one method fared, when it has been asked."""
    seconds = sum(gate.seconds for gate in findings.gates)
    failed = [gate for gate in findings.gates if gate.verdict == "fail"]
    if not failed:
        return f"[bold]{method}[/] [green]passed[/] its gates in {seconds:.0f} s"
    return f"[bold]{method}[/] [red]failed[/] {failed[0].name}: {escape(failed[0].message)}"


def gate_table(preflight: Preflight) -> RenderableType:
    """A row a gate, a column a method; below it what a warning or a failure says, and the estimate."""
    table = Table(title="Gates", title_justify="left")
    for column in ("gate", *preflight.methods):
        table.add_column(column)
    columns = [{gate.name: gate for gate in findings.gates} for findings in preflight.methods.values()]
    for name in GATES:
        if any(name in column for column in columns):
            table.add_row(name, *(_cell(column.get(name)) for column in columns))
    return Group(table, *_notes(preflight))


def _cell(gate: Gate | None) -> str:
    return "-" if gate is None else f"[{COLOURS[gate.verdict]}]{gate.verdict}[/]"


def _notes(preflight: Preflight) -> Iterator[str]:
    for (verdict, name, message), methods in preflight.objections().items():
        everyone = "all methods" if methods == list(preflight.methods) else ", ".join(methods)
        yield f"[{COLOURS[verdict]}]{verdict}[/] {name} ({everyone}): {escape(message)}"
    if preflight.disk_and_time is not None:
        gate = preflight.disk_and_time
        yield f"[{COLOURS[gate.verdict]}]{gate.verdict}[/] {gate.name}: {escape(gate.message)}"
