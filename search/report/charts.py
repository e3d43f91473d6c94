"""The report's charts, each defined once: the page draws them interactively, `figures` as PNG and SVG.

Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which readers with any colour
vision tell apart; shapes tell the methods apart as well. What is on a chart stands in a table too.
"""

from typing import Any

import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.records import BASELINE, Results
from search.report import coordinates
from search.report.names import compact, metric_name
from search.report.vegalite import Spec, data, mark, name, number
from search.verdict import Front, MethodVerdict, Verdict
from trainables.amounts import known
from trainables.cost.declared import COST_FIGURES
from trainables.status import Status

WIDTH, HEIGHT = 620, 340
_PANEL = 270
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C564B", "#7F7F7F")
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "wedge")
FATE_COLOURS = {
    "winner": "#D55E00",
    Status.COMPLETED.facts.fate: "#0072B2",
    Status.STOPPED.facts.fate: "#999999",
    "audited": "#56B4E9",
    Status.FAILED.facts.fate: "#CC79A7",
}
_LOG_FROM = 20
"""A cost axis is logarithmic where its largest value is so many times its smallest."""

_POINTS = number("score", format=".2f")
_NEAR = {"zero": False}
"""A scale that need not begin at zero."""
_STAIRS = {"interpolate": "step-after"}


def tradeoff(results: Results, verdict: Verdict, front: Front) -> Spec:
    """Plot quality on test against one cost, with intervals, the Pareto front and the search's trials."""
    axis = front.axis
    scored = [method for method in verdict.methods if axis in method.costs and method.method != BASELINE]
    methods, trials = [_method(method, axis) for method in scored], _trials(results, axis)
    intervals = [row for row in methods if known(row["low"])]
    on_front = [row for row in methods if row["method"] in front.methods]
    scale = _cost_scale([row["cost"] for row in [*methods, *trials]])
    title = COST_FIGURES[axis].axis_title
    x = number("cost", title=title, scale=scale, axis={"format": "~s", "tickCount": 6})
    y = number("score", title=_on_test(results, verdict), scale=_NEAR)
    place, coloured = {"x": x, "y": y}, {"x": x, "y": y, "color": _colour(results)}
    spread = {**coloured, "y": number("low", title=""), "y2": {"field": "high"}}
    tooltip = [name("method"), name("label", title=metric_name(results))]
    marked = {**coloured, "shape": _shape(results), "tooltip": tooltip}
    layers = [
        data(trials) | mark("point", {**coloured, "tooltip": _TRIAL}, filled=True, opacity=0.22, size=28),
        data(on_front) | mark("line", place, **_FRONT),
        data(intervals) | mark("rule", spread, strokeWidth=2),
        data(methods) | mark("point", marked, filled=True, size=130, opacity=1),
        data(methods) | mark("text", {**place, "text": name("method")}, **_LABEL),
    ]
    if untrained := next((method for method in verdict.methods if method.method == BASELINE), None):
        layers += _untrained(untrained)
    drawn = [layer for layer in layers if layer["data"]["values"]]
    return {"layer": drawn, "width": WIDTH, "height": HEIGHT}


_TRIAL = [
    name("id", title="trial"),
    number("score", title="on validation", format=".2f"),
    name("hyperparameters"),
]
_FRONT = {**_STAIRS, "strokeDash": [5, 4], "color": "#888888", "strokeWidth": 1.5}
"""Stairs: between two methods of the front, money buys no more than the cheaper one gives."""
_LABEL = {"align": "left", "dx": 10, "dy": -8, "fontWeight": "bold"}


def learning_curves(results: Results) -> Spec | None:
    """Plot every trial's score at its rungs, a panel a method, coloured by how the trial ended."""
    rows = [
        {
            "method": record.method,
            "trial": record.id,
            "examples": rung.examples,
            "score": rung.score,
            "fate": fate,
            "hyperparameters": compact(record.hyperparameters),
        }
        for record, fate in coordinates.fates(results)
        for rung in record.rungs
        if rung.score is not None
    ]
    if not rows:
        return None
    seen = {row["fate"] for row in rows}
    shown = {fate: colour for fate, colour in FATE_COLOURS.items() if fate in seen}
    encoding = {
        "x": number("examples", title="training examples"),
        "y": number("score", title=_validation(results), scale=_NEAR),
        "color": name("fate", title=None, scale=_scale(shown)),
        "detail": name("trial"),
        "tooltip": [name("trial"), number("examples"), _POINTS, name("fate"), name("hyperparameters")],
    }
    lines = mark("line", encoding, point={"size": 36}, opacity=0.8)
    panels = name("method", title=None, sort=results.methods)
    return {**data(rows), "facet": panels, "columns": 2, "spec": {**lines, "width": _PANEL, "height": 180}}


def best_so_far(results: Results) -> Spec | None:
    """Plot the best score found by each method's search against trials and against device seconds."""
    table = coordinates.best_so_far(results)
    if table.empty:
        return None
    shared = {
        "y": number("best", title=f"best {_validation(results)}", scale=_NEAR),
        "color": {**_colour(results), "legend": {"title": None}},
        "tooltip": [name("method"), name("trial"), number("best", format=".2f")],
    }
    axes = [number("trials", title="trials ended"), number("device_seconds", title="device seconds")]
    lines = [mark("line", {"x": x, **shared}, **_STAIRS, point=True) for x in axes]
    panels = [{**line, "width": _PANEL, "height": 200} for line in lines]
    return {**data(table.to_dict("records")), "hconcat": panels}


def parallel(results: Results, method: str) -> Spec | None:
    """Plot a method's trials in parallel coordinates: a line a trial, from hyperparameters to score.

    Each axis runs from the least to the greatest value tried, on a logarithm where the space has one.
    """
    table = coordinates.coordinates(results, method)
    if table.empty or table["axis"].nunique() < 2 or table["trial"].nunique() < 2:
        return None
    names = list(dict.fromkeys(table["axis"]))
    place = {
        "x": name("axis", sort=names, title=None, axis={"labelAngle": 0, "grid": True, "labelLimit": 110}),
        "y": number("place", axis=None),
    }
    coloured = {**place, "color": number("score", title=_validation(results), scale={"scheme": "viridis"})}
    tooltip = [name("trial"), name("axis"), name("value"), _POINTS]
    ends = data(coordinates.axis_ends(table).to_dict("records"))
    layers = [
        mark("line", {**coloured, "detail": name("trial")}, opacity=0.75),
        mark("circle", {**coloured, "tooltip": tooltip}, size=30),
        ends | mark("text", {**place, "text": name("value")}, dx=4, align="left", fontSize=10),
    ]
    return {**data(table.to_dict("records")), "layer": layers, "width": WIDTH, "height": 220, "title": method}


def slices(results: Results, method: str) -> Spec | None:
    """Plot a method's scores against each of its hyperparameters, a panel each."""
    table = coordinates.coordinates(results, method)
    axes = [axis for axis in dict.fromkeys(table["axis"]) if axis != coordinates.SCORE_AXIS]
    if not axes:
        return None
    space = results.sweep.spaces()[method].distributions
    panels = [_slice(table[table["axis"] == axis], axis, space[axis], results) for axis in axes]
    return {"concat": panels, "columns": 4, "title": method}


def _slice(table: pd.DataFrame, axis: str, dimension: BaseDistribution, results: Results) -> Spec:
    if isinstance(dimension, CategoricalDistribution):
        x = name("value", title=axis, axis={"labelAngle": 0})
    else:
        table = table.assign(value=table["value"].astype(float))
        scale = {"type": "log"} if getattr(dimension, "log", False) else _NEAR
        x = number("value", title=axis, scale=scale, axis={"tickCount": 3, "format": "~g"})
    encoding = {
        "x": x,
        "y": number("score", title=metric_name(results), scale=_NEAR),
        "tooltip": [name("trial"), name("value"), _POINTS],
    }
    dots = mark("circle", encoding, size=45, opacity=0.7)
    return {**data(table.to_dict("records")), **dots, "width": _PANEL / 2, "height": 110}


def importance(table: pd.DataFrame) -> Spec:
    """Plot how much of the variance each hyperparameter explains, a panel a method.

    Args:
        table: a row a hyperparameter: method, hyperparameter, importance (0 to 1).
    """
    encoding = {
        "x": number("importance", title="share of importance", axis={"format": "%"}),
        "y": name("hyperparameter", sort="-x", title=None),
        "tooltip": [name("method"), name("hyperparameter"), number("importance", format=".0%")],
    }
    return {
        **data(table.to_dict("records")),
        "facet": name("method", title=None),
        "columns": 2,
        "spec": {**mark("bar", encoding), "width": _PANEL, "height": {"step": 16}},
        "resolve": {"scale": {"y": "independent"}},
    }


def _method(method: MethodVerdict, axis: str) -> dict[str, Any]:
    score = method.score
    return {
        "method": method.method,
        "score": score.mean,
        "low": score.low,
        "high": score.high,
        "cost": method.costs[axis] / COST_FIGURES[axis].unit.divisor,
        "label": f"{score.mean:.2f} [{score.low:.2f}, {score.high:.2f}]",
    }


def _trials(results: Results, axis: str) -> list[dict[str, Any]]:
    """Return the trials that were trained to the end: the others lack the costs of the full budget."""
    return [
        {
            "id": record.id,
            "method": record.method,
            "score": record.score,
            "cost": cost / COST_FIGURES[axis].unit.divisor,
            "hyperparameters": compact(record.hyperparameters),
        }
        for record in results.records
        if record.phase == "search" and record.status is Status.COMPLETED
        if (cost := record.cost.get(axis)) is not None and record.score is not None
    ]


def _untrained(baseline: MethodVerdict) -> list[Spec]:
    row = data([{"score": baseline.score.mean, "text": "untrained"}])
    y, label = number("score"), {"align": "left", "dy": -6}
    return [
        row | mark("rule", {"y": y}, strokeDash=[2, 3], color="#777777"),
        row | mark("text", {"x": {"value": 4}, "y": y, "text": name("text")}, **label),
    ]


def _cost_scale(costs: list[float]) -> Spec:
    wide = min(costs) > 0 and max(costs) / min(costs) >= _LOG_FROM
    return {"type": "log", "padding": 30} if wide else {"zero": False, "padding": 30}


def _colour(results: Results) -> Spec:
    return name("method", scale=_scale(_of_methods(results, _COLOURS)), legend=None)


def _shape(results: Results) -> Spec:
    return name("method", scale=_scale(_of_methods(results, _SHAPES)), legend=None)


def _of_methods(results: Results, looks: tuple[str, ...]) -> dict[str, str]:
    return {method: looks[place % len(looks)] for place, method in enumerate(results.methods)}


def _scale(looks: dict[str, str]) -> Spec:
    return {"domain": list(looks), "range": list(looks.values())}


def _on_test(results: Results, verdict: Verdict) -> list[str]:
    """Title the quality axis; it says what intervals leave out, as figures are shown without the report."""
    only = verdict.intervals_over == "documents only"
    return [f"{metric_name(results)} on test", *(["intervals over documents only"] if only else [])]


def _validation(results: Results) -> str:
    return f"{metric_name(results)} on validation"
