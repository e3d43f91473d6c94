"""Print the preflight checks: a table, and a line for each that did not pass."""

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from search.records import PreflightResults
from trainables.amounts import duration
from trainables.preflight.findings import Check, Findings, asked

COLOURS = {"pass": "green", "warn": "yellow", "fail": "red"}


def check_line(method: str, findings: Findings) -> str:
    """Format the outcome of one method's checks as a line."""
    seconds = sum(check.seconds for check in findings.checks)
    failed = [check for check in findings.checks if check.verdict == "fail"]
    if not failed:
        return f"[bold]{method}[/] [green]passed[/] its preflight checks in {duration(seconds)}"
    return f"[bold]{method}[/] [red]failed[/] {failed[0].name}: {escape(failed[0].message)}"


def check_lines(under_way: Mapping[str, Findings]) -> Iterator[str]:
    """Format where the checks that are under way stand, a line a method."""
    for method, findings in under_way.items():
        passed = ", ".join(check.name for check in findings.checks)
        yield f"Checking [bold]{method}[/]: {passed} done"


def latest_line(under_way: Mapping[str, Findings]) -> str:
    """Format the check that was the last to be known."""
    method, findings = list(under_way.items())[-1]
    check = findings.checks[-1]
    verdict = f"[{COLOURS[check.verdict]}]{check.verdict}[/]"
    return f"[bold]{method}[/] {check.name}: {verdict} in {duration(check.seconds)}"


def check_table(preflight: PreflightResults) -> RenderableType:
    """Build a table, a row a check, a column a method; below it warnings, failures and the estimate."""
    table = Table(title="Preflight checks", title_justify="left")
    for column in ("check", *preflight.methods):
        table.add_column(column)
    columns = [{check.name: check for check in findings.checks} for findings in preflight.methods.values()]
    for name in asked(preflight.methods.values()):
        table.add_row(name, *(_cell(column.get(name)) for column in columns))
    return Group(table, *_notes(preflight))


def _cell(check: Check | None) -> str:
    return "-" if check is None else f"[{COLOURS[check.verdict]}]{check.verdict}[/]"


def _notes(preflight: PreflightResults) -> Iterator[str]:
    for (verdict, name, message), methods in preflight.objections().items():
        everyone = "all methods" if methods == list(preflight.methods) else ", ".join(methods)
        yield f"[{COLOURS[verdict]}]{verdict}[/] {name} ({everyone}): {escape(message)}"
    if preflight.disk_and_time is not None:
        check = preflight.disk_and_time
        yield f"[{COLOURS[check.verdict]}]{check.verdict}[/] {check.name}: {escape(check.message)}"
