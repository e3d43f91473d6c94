"""Charts of the search: learning curves, the best so far, and trials by their hyperparameters.

`usermeta` says how the page lays a chart of several panels out anew: the least width of a panel, and what its
axis takes beside it, in pixels.
"""

import math

import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.records import Results
from search.report import coordinates
from search.report.looks import coloured
from search.report.names import compact, metric_name
from search.report.palette import REST
from search.report.vegalite import Spec, data, mark, name, number
from trainables.status import Status

WIDTH = 620
_PANEL = 270
FATE_COLOURS = {
    "winner": "#D55E00",
    Status.COMPLETED.facts.fate: "#2F86C5",
    Status.STOPPED.facts.fate: REST,
    "audited": "#7A6FD1",
    Status.FAILED.facts.fate: "#B5468C",
}
_OWN_AXES = {"resolve": {"axis": {"x": "independent"}}}
"""Without them the place of a panel that is not there has an axis."""
_IS_WINNER = "datum.fate == 'winner'"
_POINTS = number("score", format=".2f")
_NEAR = {"zero": False}
"""A scale that need not begin at zero."""
_STAIRS = {"interpolate": "step-after"}


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
        "strokeWidth": {"condition": {"test": _IS_WINNER, "value": 3}, "value": 1.5},
        "detail": name("trial"),
        "tooltip": [name("trial"), number("examples"), _POINTS, name("fate"), name("hyperparameters")],
    }
    lines = mark("line", encoding, point={"size": 36}, opacity=0.8)
    panels = name("method", title=None, sort=results.methods)
    spec = {**lines, "width": _PANEL, "height": 180}
    columns = min(2, len({row["method"] for row in rows}))
    return {
        **data(rows),
        "facet": panels,
        "columns": columns,
        "spec": spec,
        **_OWN_AXES,
        **_laid_out(260, 40),
    }


def best_so_far(results: Results) -> Spec | None:
    """Plot the best score found by each method's search against trials and against device seconds."""
    table = coordinates.best_so_far(results)
    if table.empty:
        return None
    shared = {
        "y": number("best", title=f"best {_validation(results)}", scale=_NEAR),
        "color": {**coloured(results), "legend": {"title": None}},
        "tooltip": [name("method"), name("trial"), number("best", format=".2f")],
    }
    axes = [number("trials", title="trials ended"), number("device_seconds", title="device seconds")]
    lines = [mark("line", {"x": x, **shared}, **_STAIRS, point={"size": 20}) for x in axes]
    panels = [{**line, "width": _PANEL, "height": 200} for line in lines]
    return {**data(table.to_dict("records")), "concat": panels, "columns": 2, **_laid_out(300, 60)}


def parallel(results: Results, method: str) -> Spec | None:
    """Plot a method's trials in parallel coordinates: a line a trial, from hyperparameters to score.

    Each axis runs from the least to the greatest value tried, on a logarithm where the space has one.
    """
    table = coordinates.coordinates(results, method)
    if table.empty or table["axis"].nunique() < 2 or table["trial"].nunique() < 2:
        return None
    names = list(dict.fromkeys(table["axis"]))
    axis = {
        "labelAngle": 0,
        "grid": True,
        "domain": False,
        "ticks": False,
        "labelLimit": 110,
        "orient": "top",
    }
    place = {
        "x": name("axis", sort=names, title=None, axis={**axis, "labelOffset": 0, "labelPadding": 16}),
        "y": number("place", axis=None, scale={"domain": [-0.08, 1.08], "nice": False}),
    }
    full, shorter = table[table["is_full"]], table[~table["is_full"]]
    shade = number("score", title=_validation(results), scale=_NEAR, legend={"gradientLength": 120})
    coloured = {**place, "color": shade}
    tooltip = [name("trial"), name("axis"), name("value"), _POINTS, number("examples")]
    ends = coordinates.axis_ends(table)
    layers = [
        _rows(shorter) | mark("line", {**place, "detail": name("trial")}, **_STOPPED_LINE),
        _rows(full) | mark("line", {**coloured, "detail": name("trial")}, opacity=0.85, strokeWidth=1.75),
        _rows(full) | mark("circle", {**coloured, "tooltip": tooltip}, size=30, opacity=1),
        _rows(shorter) | mark("circle", {**place, "tooltip": tooltip}, size=16, color=REST),
        *(
            _rows(ends[ends["place"] == end])
            | mark("text", {**place, "text": name("value")}, dy=dy, fontSize=10)
            for end, dy in ((0, 10), (1, -9))
        ),
    ]
    drawn = [layer for layer in layers if layer["data"]["values"]]
    return {"layer": drawn, "width": WIDTH, "height": 240}


_STOPPED_LINE = {"color": REST, "opacity": 0.45, "strokeWidth": 1, "strokeDash": [3, 3]}


def slices(results: Results, method: str) -> Spec | None:
    """Plot a method's scores against each of its hyperparameters, a panel each."""
    table = coordinates.coordinates(results, method)
    axes = [axis for axis in dict.fromkeys(table["axis"]) if axis != coordinates.SCORE_AXIS]
    if not axes:
        return None
    space = results.sweep.spaces()[method].distributions
    panels = [_slice(table[table["axis"] == axis], axis, space[axis], results) for axis in axes]
    return {"concat": panels, "columns": 4, **_laid_out(190, 62)}


def _slice(table: pd.DataFrame, axis: str, dimension: BaseDistribution, results: Results) -> Spec:
    if isinstance(dimension, CategoricalDistribution):
        x = name("value", title=axis, axis={"labelAngle": 0})
    else:
        table = table.assign(value=table["value"].astype(float))
        x = number(
            "value", title=axis, **_hyperparameter(table["value"], is_log=getattr(dimension, "log", False))
        )
    encoding = {
        "x": x,
        "y": number("score", title=metric_name(results), scale=_NEAR),
        "tooltip": [name("trial"), name("value"), _POINTS, number("examples")],
    }
    layers = [
        _rows(table[~table["is_full"]]) | mark("point", encoding, size=30, color=REST, shape="triangle-down"),
        _rows(table[table["is_full"]]) | mark("circle", encoding, size=45, opacity=0.85),
    ]
    drawn = [layer for layer in layers if layer["data"]["values"]]
    return {"layer": drawn, "width": _PANEL / 2, "height": 130}


def _hyperparameter(values: pd.Series, *, is_log: bool) -> Spec:
    """Encode an axis of numbers, on a logarithm with ticks at powers of ten where the space has one."""
    if not is_log:
        return {"scale": _NEAR, "axis": {"tickCount": 3, "format": "~g"}}
    low, high = math.floor(math.log10(values.min())), math.ceil(math.log10(values.max()))
    domain = [values.min() / 1.2, values.max() * 1.2]
    ticks = [step * 10.0**power for power in range(low, high + 1) for step in (1, 2, 5)]
    inside = [tick for tick in ticks if domain[0] <= tick <= domain[1]]
    powers = [tick for tick in inside if math.log10(tick).is_integer()]
    shown = powers if len(powers) > 1 else [*inside[:1], *inside[1:][-1:]]
    return {"scale": {"type": "log", "domain": domain}, "axis": {"values": shown, "format": "~g"}}


def _rows(table: pd.DataFrame) -> Spec:
    return data(table.to_dict("records"))


def _laid_out(least: float, beside: float) -> Spec:
    return {"usermeta": {"panel": {"least": least, "beside": beside}}}


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
        "columns": min(2, table["method"].nunique()),
        "spec": {**mark("bar", encoding), "width": _PANEL, "height": {"step": 16}},
        "resolve": {"scale": {"y": "independent"}},
        **_laid_out(300, 110),
    }


def _scale(looks: dict[str, str]) -> Spec:
    return {"domain": list(looks), "range": list(looks.values())}


def _validation(results: Results) -> str:
    return f"{metric_name(results)} on validation"
