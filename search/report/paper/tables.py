"""The tables of a paper: methods, improvements, hyperparameters with their ranges and winners."""

from collections.abc import Iterator, Mapping

import pandas as pd

import spaces
from search.records import BASELINE, Results, winner
from search.report import tables as values
from search.report.names import metric_name
from search.report.paper.latex import code, table, text
from search.report.scored import correction, scored
from search.verdict import Estimate, Verdict, score_name
from trainables.amounts import DASH, known, number, points
from trainables.cost.declared import COST_FIGURES

_COSTS = {"trainable_percent": r"Trained \%", "train_seconds": "Train s", "peak_memory_bytes": "Memory"}
"""The costs that fit beside the scores on a page."""


def tables(results: Results, verdict: Verdict) -> dict[str, str]:
    """Write each table as LaTeX, by the name of its file."""
    return {
        **({"methods": _methods(results, verdict)} if verdict.methods else {}),
        **({"improvements": _improvements(results, verdict)} if verdict.pairs else {}),
        "hyperparameters": _hyperparameters(results),
    }


def method_name(method: str) -> str:
    return "untrained" if method == BASELINE else code(method)


def _cost(value: float | None, name: str) -> str:
    return text(COST_FIGURES[name].unit.shown(value))


def _methods(results: Results, verdict: Verdict) -> str:
    metric, ties = verdict.metric, verdict.lead is not None
    names = [metric, *(name for name in values.score_names(results) if name != metric)]
    costs = pd.concat([values.methods(results), values.retrained_defaults(results)])
    best = verdict.methods[0].method if verdict.methods else ""
    rows = [
        [
            method_name(row.name) if row.seeds else text(row.label),
            _interval(row.scores.get(metric), bold=row.name == best),
            *(_mean(row.scores.get(name)) for name in names[1:]),
            *([text(row.letters)] if ties else []),
            *(
                text(COST_FIGURES[name].unit.shown(costs.loc[row.name][name] if row.seeds else None))
                for name in _COSTS
            ),
        ]
        for row in scored(results, verdict)
    ]
    seeds = results.sweep.final.seeds
    caption = (
        f"Scores on {number(verdict.documents)} test documents, mean of {number(seeds)} "
        f"{'seed' if seeds == 1 else 'seeds'}; {text(metric_name(results))} with its 95\\,\\% interval over "
        f"{verdict.intervals_over}."
    )
    if ties:
        caption += f" Methods that share a letter cannot be told apart by {text(metric_name(results))}."
    header = ["Method", *(text(score_name(name)) for name in names), *(["Ties"] if ties else [])]
    columns = f"ll{'r' * (len(names) - 1)}{'c' if ties else ''}{'r' * len(_COSTS)}"
    return table([*header, *_COSTS.values()], rows, columns=columns, caption=caption, label="tab:methods")


def _interval(estimate: Estimate | None, *, bold: bool) -> str:
    mean = _mean(estimate)
    shown = f"\\textbf{{{mean}}}" if bold else mean
    if estimate is None or not known(estimate.low):
        return shown
    return f"{shown} [{points(estimate.low)}, {points(estimate.high)}]"


def _mean(estimate: Estimate | None) -> str:
    return DASH if estimate is None else points(estimate.mean)


def _improvements(results: Results, verdict: Verdict) -> str:
    rows = [
        [
            method_name(pair.better),
            method_name(pair.worse),
            f"{number(pair.effect, '.2f')} [{_signed(pair.low)}, {_signed(pair.high)}]",
            number(pair.p_corrected, ".2g"),
            "yes" if pair.significant else "no",
        ]
        for pair in verdict.pairs
    ]
    caption = (
        f"Differences of the means of {text(metric_name(results))} on test, in points, with 95\\,\\% "
        "intervals. Documents and seeds are both taken as drawn at random; $p$ is corrected "
        f"{text(correction(verdict))}; significant below 0.05."
    )
    header = ["Better", "Worse", "Difference", "$p$", "Significant"]
    return table(header, rows, columns="lllrl", caption=caption, label="tab:improvements")


def _signed(value: float) -> str:
    return number(value, ".2f").replace("-", "$-$")


def _hyperparameters(results: Results) -> str:
    rows: list[list[str]] = []
    for method, space in results.sweep.spaces().items():
        rows += [[]] if rows else []
        rows += _ranges(method, space, _winner(results, method))
    trials = values.search(results)["done"].max()
    caption = (
        f"What was searched for each method, its default configuration, and the best of at most "
        f"{number(trials)} trials."
    )
    header = ["Method", "Hyperparameter", "Range", "Default", "Best"]
    return table(header, rows, columns="lllll", caption=caption, label="tab:hyperparameters")


def _winner(results: Results, method: str) -> Mapping[str, object]:
    best = winner(results.search(method))
    return best.hyperparameters if best else {}


def _ranges(method: str, space: spaces.Space, best: Mapping[str, object]) -> Iterator[list[str]]:
    ranges = {name: spaces.describe(part) for name, part in space.distributions.items()}
    fixed = dict.fromkeys(space.fixed, "fixed")
    first = [method_name(method)]
    for name, drawn in (ranges | fixed).items():
        values_of = space.complete(space.default).get(name), best.get(name)
        yield [*first, text(name.replace("_", " ")), text(drawn), *map(_value, values_of)]
        first = [""]


def _value(value: object) -> str:
    if value is None:
        return DASH
    return text(f"{value:.3g}" if isinstance(value, float) else value)
