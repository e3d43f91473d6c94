"""Print what the doctor found: a line a finding, a remedy where something is wrong."""

from collections.abc import Iterator, Mapping

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from search.console.check_table import COLOURS
from search.doctor import Finding, could_run, examine_machine, examine_nodes
from trainables.preflight.findings import Verdict


def examine_and_print(address: str | None, console: Console) -> bool:
    """Examine this machine, or the nodes of the cluster at `address`; return whether a sweep could run."""
    if address in (None, "local"):
        console.print("Examining this machine: to start Ray and to import torch takes some seconds.")
        findings = examine_machine()
        machines, what = [findings], "this machine"
        console.print(findings_table(findings))
    else:
        nodes = examine_nodes(address)
        machines, what = list(nodes.values()), f"the cluster at {address}"
        console.print(nodes_table(nodes))
    console.print(conclusion(machines, what), highlight=False)
    return all(map(could_run, machines))


def findings_table(findings: list[Finding]) -> RenderableType:
    """A row a finding; below them the remedies, and whether a sweep could run."""
    table = Table(title="This machine", title_justify="left")
    for column in ("", "what", "found"):
        table.add_column(column)
    for finding in findings:
        table.add_row(_word(finding.verdict), finding.name, escape(finding.message))
    return Group(table, *map(_remedy, _wrong(findings)))


def nodes_table(nodes: Mapping[str, list[Finding]]) -> RenderableType:
    """A row a node; below them what is wrong, once for all the nodes of which it is said."""
    table = Table(title="Nodes", title_justify="left")
    for column in ("", "node", "device", "wrong"):
        table.add_column(column)
    for node, findings in nodes.items():
        device = next((each.message for each in findings if each.name == "device"), "-")
        names = ", ".join(finding.name for finding in _wrong(findings))
        table.add_row(_word(_worst(findings)), node, escape(device), names or "-")
    return Group(table, *_shared(nodes))


def conclusion(machines: list[list[Finding]], what: str) -> str:
    """Whether a sweep could run there, in a sentence; `what`: this machine, the cluster."""
    if not machines:
        return f"No node of {what} has CPUs for trials yet: nothing was examined."
    if all(map(could_run, machines)):
        return f"A sweep could run on {what}."
    return f"A sweep could not run on {what}: mend what failed."


def _shared(nodes: Mapping[str, list[Finding]]) -> Iterator[str]:
    said: dict[tuple[Verdict, str, str, str], list[str]] = {}
    for node, findings in nodes.items():
        for each in _wrong(findings):
            said.setdefault((each.verdict, each.name, each.message, each.remedy), []).append(node)
    for (verdict, name, message, remedy), found in said.items():
        everyone = "all nodes" if len(found) == len(nodes) else ", ".join(found)
        yield f"{_word(verdict)} {name} ({everyone}): {escape(message)}. {escape(remedy)}"


def _remedy(finding: Finding) -> str:
    return f"{_word(finding.verdict)} {finding.name}: {escape(finding.remedy)}"


def _wrong(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict != "pass"]


def _worst(findings: list[Finding]) -> Verdict:
    if not could_run(findings):
        return "fail"
    return "warn" if _wrong(findings) else "pass"


def _word(verdict: Verdict) -> str:
    return f"[{COLOURS[verdict]}]{verdict}[/]"
