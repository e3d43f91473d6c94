"""What the report says of results that another tool made: where they come from, and how they were scored."""

from search.records import Results
from search.report.markdown import bullets, code, fence, section, text
from search.report.setup import imports, metric_facts
from trainables.amounts import number


def imported(results: Results) -> str:
    """Write the last section of a report on imported results alone."""
    known = results.provenance
    data, versions = known.get("data", {}), known.get("versions", {})
    facts = [
        *imports(results),
        f"Documents: test {number(data.get('counts', {}).get('test'))}, fingerprint "
        f"{code(data.get('fingerprint', ''))}",
        f"Metric: {metric_facts(results)}",
        f"Versions: {code(', '.join(f'{package} {version}' for package, version in versions.items()))}",
    ]
    notes = [text(note) for note in data.get("notes", [])]
    return section(
        "What was imported",
        bullets(facts),
        *(["**Notes on the data**", bullets(notes)] if notes else []),
        "**To reproduce**",
        fence("\n".join(entry["command"] for entry in known.get("imported", []))),
    )
