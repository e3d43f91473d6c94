"""The report's section on the gates that each method had to pass before the search."""

from search.gates import Preflight
from search.report.markdown import DASH, bullets, code, section, table, text
from search.results import Results
from search.words import listed
from trainables.preflight.findings import GATES, Gate


def gates(results: Results) -> str:
    """A row a gate, a column a method, and what those say that are no pass."""
    preflight = results.folder.read_preflight()
    if not preflight.methods:
        return section("Gates", "No gate has been asked: the sweep was begun without a preflight.")
    found = {
        method: {gate.name: gate for gate in findings.gates} for method, findings in preflight.methods.items()
    }
    rows = [
        [name, *(_verdict(gates.get(name)) for gates in found.values())]
        for name in GATES
        if any(name in gates for gates in found.values())
    ]
    note = (
        "What each method had to show on this model and data before its search; a failed gate takes it out."
    )
    drawn = table(["Gate", *map(code, found)], rows)
    return section("Gates", drawn, note, bullets(_messages(preflight)))


def _verdict(gate: Gate | None) -> str:
    return DASH if gate is None else gate.verdict


def _messages(preflight: Preflight) -> list[str]:
    """What is no pass, then the estimate for the whole sweep."""
    lines = [
        f"{verdict}, {name} ({listed([*map(code, methods)])}): {text(message)}"
        for (verdict, name, message), methods in preflight.objections().items()
    ]
    whole = preflight.disk_and_time
    return [*lines, *([f"{whole.verdict}, {whole.name}: {text(whole.message)}"] if whole else [])]
