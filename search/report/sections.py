"""The sections that report.md and the page share, each drawn once as Markdown."""

from dataclasses import dataclass

from search.records import Results
from search.report.checks import checks
from search.report.degenerate import degenerate
from search.report.fronts import fronts
from search.report.imported import imported
from search.report.outcomes import search, stopping
from search.report.reliability import search_quality
from search.report.setup import setup
from search.report.tuning import tuning
from search.verdict import SearchStatistics, Verdict


@dataclass(frozen=True)
class Sections:
    """Markdown of the sections, each with its heading on the first line."""

    tuning: str
    search: str
    fronts: str
    stopping: str
    quality: str
    outputs: str
    checks: str
    setup: str


def sections(results: Results, verdict: Verdict, quality: list[SearchStatistics]) -> Sections:
    """Draw them; those on a search are empty where there was none, as all results were imported."""
    outputs = degenerate(verdict)
    if results.sweep.imported:
        return Sections("", "", "", "", "", outputs, "", imported(results))
    return Sections(
        tuning=tuning(results, verdict),
        search=search(results),
        fronts=fronts(results),
        stopping=stopping(results, quality),
        quality=search_quality(results, quality),
        outputs=outputs,
        checks=checks(results),
        setup=setup(results),
    )
