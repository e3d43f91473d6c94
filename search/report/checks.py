"""The report's section on the preflight checks that each method had to pass before the search."""

from search.records import PreflightResults, Results
from search.report.markdown import bullets, code, section, table, text
from search.verdict import listed
from trainables.amounts import DASH
from trainables.preflight.findings import Check, asked


def checks(results: Results) -> str:
    """Tabulate preflight checks, a row a check and a column a method, then list those that did not pass."""
    preflight = results.folder.read_preflight()
    if not preflight.methods:
        return section(
            "Preflight checks", "No check has been asked: the sweep was begun without a preflight."
        )
    found = {
        method: {check.name: check for check in findings.checks}
        for method, findings in preflight.methods.items()
    }
    rows = [
        [name, *(_verdict(checks.get(name)) for checks in found.values())]
        for name in asked(preflight.methods.values())
    ]
    note = (
        "What each method had to show on this model and data before its search; a failed check takes it out."
    )
    drawn = table(["Check", *map(code, found)], rows)
    return section("Preflight checks", drawn, note, bullets(_messages(preflight)))


def _verdict(check: Check | None) -> str:
    return DASH if check is None else check.verdict


def _messages(preflight: PreflightResults) -> list[str]:
    """Return the messages of checks that did not pass, then the estimate for the whole sweep."""
    lines = [
        f"{verdict}, {name} ({listed([*map(code, methods)])}): {text(message)}"
        for (verdict, name, message), methods in preflight.objections().items()
    ]
    whole = preflight.disk_and_time
    return [*lines, *([f"{whole.verdict}, {whole.name}: {text(whole.message)}"] if whole else [])]
