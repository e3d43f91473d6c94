"""The sections that report.md and the page share, each drawn once as Markdown."""

from dataclasses import dataclass

from search.report.fronts import fronts
from search.report.gates import gates
from search.report.qualifying import search, stopping
from search.report.search_quality import search_quality
from search.report.setup import setup
from search.report.tuning import tuning
from search.results import Results
from search.search_statistics import SearchStatistics
from search.verdict import Verdict


@dataclass(frozen=True)
class Sections:
    """Each with its heading on the first line."""

    tuning: str
    search: str
    fronts: str
    stopping: str
    quality: str
    gates: str
    setup: str


def sections(results: Results, verdict: Verdict, quality: list[SearchStatistics]) -> Sections:
    return Sections(
        tuning=tuning(results, verdict),
        search=search(results),
        fronts=fronts(results),
        stopping=stopping(results, quality),
        quality=search_quality(results, quality),
        gates=gates(results),
        setup=setup(results),
    )
