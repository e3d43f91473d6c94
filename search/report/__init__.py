"""The report of a run folder, from its records only: neither Ray nor torch, and while the sweep runs too."""

from pathlib import Path

from search.report import tables
from search.report.document import document
from search.results import load_results
from trainables.atomic import write_text

__all__ = ["write_report"]


def write_report(folder: Path) -> Path:
    """Write report.md, methods.csv and trials.csv; return the path of report.md.

    Raises:
        InputError: `folder` is no run folder, or one of its files cannot be read.
    """
    results = load_results(folder)
    report = results.folder.report
    write_text(report / "methods.csv", tables.methods(results).to_csv())
    write_text(report / "trials.csv", results.trials.to_csv(index=False))
    write_text(report / "report.md", document(results))
    return report / "report.md"
