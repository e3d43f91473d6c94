"""The report's figures: which there are, and their PNG, SVG and PDF at print quality."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import vl_convert

from search.records import Results
from search.report import charts, palette
from search.report.coordinates import MOST_TRIALS
from search.report.forest import forest, noise_floor
from search.report.names import metric_name
from search.report.reliability import importance_table
from search.report.tradeoff import tradeoff
from search.report.vegalite import SCHEMA, Spec
from search.verdict import Front, SearchStatistics, Verdict
from trainables.cost.declared import COST_FIGURES
from trainables.storage.atomic import new_file, write_text
from trainables.storage.place import Place

_PRINTED = ("forest", "learning-curves", "best-so-far", "importance")
_PRINT_SCALE = 3
"""Pixels a point: about 220 dots an inch."""


@dataclass(frozen=True)
class Figure:
    """A chart with what stands around it."""

    name: str
    """Of its file; `tradeoff-<axis>` for the trade-offs."""
    section: str
    """`methods`, `tradeoff`, `search`, or `search-<method>` of what is of one method."""
    title: str
    text: str
    """What it shows, for readers who do not see it."""
    spec: Spec


def figures(results: Results, verdict: Verdict, quality: list[SearchStatistics]) -> list[Figure]:
    """Draw all figures that the records allow, the methods first."""
    drawn = [*_methods(results, verdict), *_tradeoffs(results, verdict), *_search(results, quality)]
    return [_figure(words, chart) for words, chart in drawn if chart is not None]


def for_print(drawn: list[Figure]) -> list[Figure]:
    """Select the figures that are written as PNG and SVG too, with their colours for paper."""
    printed = [figure for figure in drawn if figure.section == "tradeoff" or figure.name in _PRINTED]
    return [replace(figure, spec={**figure.spec, "config": palette.look()}) for figure in printed]


def write_figures(printed: list[Figure], svgs: Iterable[str], folder: Place) -> None:
    """Write `<name>.svg`, `<name>.png` and `<name>.pdf` of each figure."""
    for figure, svg in zip(printed, svgs, strict=True):
        write_text(folder / f"{figure.name}.svg", svg)
        with new_file(folder / f"{figure.name}.png") as file:
            file.write_bytes(vl_convert.svg_to_png(svg, scale=_PRINT_SCALE))
        with new_file(folder / f"{figure.name}.pdf") as file:
            file.write_bytes(vl_convert.svg_to_pdf(svg))


_Drawn = tuple[tuple[str, str, str, str], Spec | None]
"""The name, section, title and text of a figure, and its chart where there is something to draw."""


def _figure(words: tuple[str, str, str, str], chart: Spec) -> Figure:
    """Complete a chart with a description, which screen readers speak, in the SVG files too."""
    *_, text = words
    return Figure(*words, {"$schema": SCHEMA, "description": text, **chart})


def _methods(results: Results, verdict: Verdict) -> list[_Drawn]:
    floor = noise_floor(verdict)
    shaded = f"; shaded: {floor:.2f} points below the best, which seeds alone make" if floor else ""
    text = (
        f"{metric_name(results)} on test of each method with its 95 % interval over "
        f"{verdict.intervals_over}, the seeds as dots{shaded}. "
        "Brackets join methods that cannot be told apart. Bars: what each cost"
    )
    return [(("forest", "methods", "Methods", text), forest(results, verdict))]


def _tradeoffs(results: Results, verdict: Verdict) -> list[_Drawn]:
    return [
        (_tradeoff_words(results, verdict, front), tradeoff(results, verdict, front))
        for front in verdict.fronts
    ]


def _tradeoff_words(results: Results, verdict: Verdict, front: Front) -> tuple[str, str, str, str]:
    axis = COST_FIGURES[front.axis].axis_title
    text = (
        f"{metric_name(results)} on test against {axis}, with 95 % intervals over {verdict.intervals_over}. "
        f"On the Pareto front, the cheapest first: {', '.join(front.methods)}"
    )
    return f"tradeoff-{front.axis}", "tradeoff", axis, text


def _search(results: Results, quality: list[SearchStatistics]) -> list[_Drawn]:
    curves = (
        "Score of each trial at its rungs; where a line ends early, the trial was stopped. Of more than "
        f"{MOST_TRIALS} trials a method, every n-th and the winner"
    )
    best = "Best score found against the trials that had ended and the device seconds they had taken"
    drawn: list[_Drawn] = [
        (("learning-curves", "search", "Learning curves", curves), charts.learning_curves(results)),
        (("best-so-far", "search", "Best so far", best), charts.best_so_far(results)),
    ]
    mattered = importance_table(quality)
    if not mattered.empty:
        shares = "Share of each hyperparameter in a trial's being among the best third, a panel a method"
        words = ("importance", "search", "What mattered", shares)
        drawn.append((words, charts.importance(mattered)))
    for method in results.searched:
        own = f"search-{method}"
        lines = f"Hyperparameters of the trials of {method}, a line a trial, coloured by score"
        panels = f"Score of the trials of {method} against each hyperparameter"
        drawn += [
            (
                (f"parallel-{method}", own, "Hyperparameters together", lines),
                charts.parallel(results, method),
            ),
            ((f"slices-{method}", own, "One by one", panels), charts.slices(results, method)),
        ]
    return drawn
