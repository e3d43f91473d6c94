"""The report of a run folder, from its records only: neither Ray nor torch, and while the sweep runs too."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from pydantic_core import to_json

from search.records import Results, load_results
from search.report import tables
from search.report.comparison import comparison
from search.report.document import document
from search.report.drawing import Draw, NotDrawn, draw
from search.report.figures import figures, for_print, write_figures
from search.report.page import page, plain_page
from search.report.paper.write import write_paper
from search.report.sections import sections
from search.verdict import Verdict, search_statistics, verdict
from trainables.errors import InputError
from trainables.storage.atomic import write_text
from trainables.storage.place import Place

logger = logging.getLogger(__name__)

__all__ = ["write_comparison", "write_report"]


def write_report(folder: str | Place, draw: Draw = draw, to: Place | None = None) -> Place:
    """Write report.html, report.md, report.json, methods.csv, trials.csv, figures/ and what papers quote.

    Args:
        folder: the run folder, or its URL.
        draw: what draws the figures for print.
        to: another folder to write them to, where the run folder is only to be read.

    Returns:
        The path of report.html.

    Raises:
        InputError: `folder` is no run folder, or one of its files cannot be read.
        OSError: the report cannot be written.
    """
    results = _loaded(folder)
    quality = [search_statistics(results, method) for method in results.searched]
    found, report = verdict(results), to or results.folder.report
    drawn = figures(results, found, quality)
    printed = for_print(drawn)
    svgs = draw([figure.spec for figure in printed])
    methods = pd.concat([tables.methods(results), tables.retrained_defaults(results)])
    write_text(report / "methods.csv", methods.to_csv())
    write_text(report / "trials.csv", results.trials.to_csv(index=False))
    write_text(report / "report.json", verdict_json(found))
    shared = sections(results, found, quality)
    write_text(report / "report.md", document(results, found, shared))
    page_text = page(results, found, shared, drawn)
    write_paper(results, found, printed, report)
    try:
        write_figures(printed, svgs, report / "figures")
    except NotDrawn as error:
        logger.warning(
            "The figures for print are not written: what draws them ended with %s. It reserves much address "
            "space; is that limited (ulimit -v)? report.html draws its own.", error,
        )  # fmt: skip
    write_text(report / "report.html", page_text)
    return report / "report.html"


def write_comparison(folders: Sequence[str | Place], to: Path) -> Path:
    """Write comparison.html and comparison.md about several run folders; return the path of the first.

    Raises:
        InputError: there are fewer than two, or one is no run folder, or `to` cannot be written.
    """
    if len(folders) < 2:
        raise InputError("Name two run folders or more to compare.")
    loaded = [_loaded(folder) for folder in folders]
    text = comparison([(results, verdict(results)) for results in loaded])
    try:
        write_text(to / "comparison.md", text)
        write_text(to / "comparison.html", plain_page("Tune-offs compared", text))
    except OSError as error:
        raise InputError(
            f"{to} cannot be written ({error.strerror}). Name another folder with --to."
        ) from error
    return to / "comparison.html"


def _loaded(folder: str | Place) -> Results:
    """Load the results, and warn of damaged predictions that the report leaves out."""
    results = load_results(folder)
    for problem in results.damaged_predictions.values():
        logger.warning(problem)
    return results


def verdict_json(verdict: Verdict) -> str:
    """Write a verdict's values as JSON; RFC 8259 knows no NaN, so what is not known is null."""
    return f"{to_json(asdict(verdict), indent=1, inf_nan_mode='null').decode()}\n"
