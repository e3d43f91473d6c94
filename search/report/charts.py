"""The report's charts, each defined once: the page draws them interactively, `figures` as PNG and SVG.

Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which readers with any colour
vision tell apart; shapes tell the methods apart as well. What is on a chart stands in a table too.
"""

from typing import Any

import altair as alt
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.report import coordinates
from search.report.names import axis_name, axis_unit, compact, metric_name
from search.results import BASELINE, Results
from search.verdict import Front, MethodVerdict, Verdict

WIDTH, HEIGHT = 620, 340
_PANEL = 270
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C564B", "#7F7F7F")
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "wedge")
_FATES = {
    "winner": "#D55E00",
    "completed": "#0072B2",
    "stopped early": "#999999",
    "audited": "#56B4E9",
    "failed": "#CC79A7",
}
_LOG_FROM = 20
"""A cost axis is logarithmic where its largest value is so many times its smallest."""

_POINTS = alt.Tooltip("score:Q", format=".2f")

alt.data_transformers.disable_max_rows()


def tradeoff(results: Results, verdict: Verdict, front: Front) -> alt.TopLevelMixin:
    """Quality on test against one cost, with intervals, the Pareto front, and the search's trials."""
    axis = front.axis
    scored = [method for method in verdict.methods if axis in method.costs and method.method != BASELINE]
    methods = pd.DataFrame([_method(method, axis) for method in scored])
    trials = _trials(results, axis)
    costs = [*methods["cost"], *trials["cost"]]
    x = alt.X("cost:Q", title=axis_name(axis), scale=_scale(costs), axis=alt.Axis(format="~s", tickCount=6))
    colour, shape = _by_method(results)
    tooltip = [alt.Tooltip("method:N"), alt.Tooltip("label:N", title=metric_name(results))]
    hovered = [
        alt.Tooltip("id:N", title="trial"),
        alt.Tooltip("score:Q", title="on validation", format=".2f"),
        alt.Tooltip("hyperparameters:N"),
    ]
    y = alt.Y("score:Q", title=f"{metric_name(results)} on test", scale=alt.Scale(zero=False))
    base = alt.Chart(methods).encode(x=x)
    intervals = alt.Chart(methods.dropna(subset=["low"])).encode(x, colour)
    points = alt.Chart(trials).mark_point(filled=True, opacity=0.22, size=28)
    layers = [
        points.encode(x, y, colour, tooltip=hovered),
        _front_line(methods, front).encode(x=x, y=y),
        intervals.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q").title(""), y2="high:Q"),
        base.mark_point(filled=True, size=130, opacity=1).encode(y, colour, shape, tooltip=tooltip),
        base.mark_text(align="left", dx=10, dy=-8, fontWeight="bold").encode(y=y, text="method:N"),
    ]
    if untrained := next((method for method in verdict.methods if method.method == BASELINE), None):
        layers += _untrained(untrained)
    drawn = [layer for layer in layers if not layer.data.empty]
    return alt.layer(*drawn).properties(width=WIDTH, height=HEIGHT)


def learning_curves(results: Results) -> alt.TopLevelMixin | None:
    """Every trial's score at its rungs, a panel a method, coloured by what became of it."""
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
    shown = {fate: colour for fate, colour in _FATES.items() if fate in seen}
    scale = alt.Scale(domain=list(shown), range=list(shown.values()))
    colour = alt.Color("fate:N", title=None, scale=scale)
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=alt.OverlayMarkDef(size=36), opacity=0.8)
        .encode(
            alt.X("examples:Q", title="training examples"),
            alt.Y("score:Q", title=_validation(results), scale=alt.Scale(zero=False)),
            colour,
            alt.Detail("trial:N"),
            tooltip=[
                "trial:N",
                "examples:Q",
                alt.Tooltip("score:Q", format=".2f"),
                "fate:N",
                "hyperparameters:N",
            ],
        )
        .properties(width=_PANEL, height=180)
        .facet(_panels(results), columns=2)
    )


def best_so_far(results: Results) -> alt.TopLevelMixin | None:
    """The best score that each method's search had found, against trials and against device seconds."""
    table = coordinates.best_so_far(results)
    if table.empty:
        return None
    colour, _ = _by_method(results, legend=True)
    y = alt.Y("best:Q", title=f"best {_validation(results)}", scale=alt.Scale(zero=False))
    line = alt.Chart(table).mark_line(interpolate="step-after", point=True)
    tooltip = ["method:N", "trial:N", alt.Tooltip("best:Q", format=".2f")]
    panels = [
        line.encode(alt.X("trials:Q", title="trials ended"), y, colour, tooltip=tooltip),
        line.encode(alt.X("device_seconds:Q", title="device seconds"), y, colour, tooltip=tooltip),
    ]
    return alt.hconcat(*(panel.properties(width=_PANEL, height=200) for panel in panels))


def parallel(results: Results, method: str) -> alt.TopLevelMixin | None:
    """Parallel coordinates of a method's trials: a line a trial, over its hyperparameters to its score.

    Each axis runs from the least to the greatest value tried, on a logarithm where the space has one.
    """
    table = coordinates.coordinates(results, method)
    if table.empty or table["axis"].nunique() < 2 or table["trial"].nunique() < 2:
        return None
    names = list(dict.fromkeys(table["axis"]))
    x = alt.X("axis:N", sort=names, title=None, axis=alt.Axis(labelAngle=0, grid=True, labelLimit=110))
    y = alt.Y("place:Q", axis=None)
    colour = alt.Color("score:Q", title=_validation(results), scale=alt.Scale(scheme="viridis"))
    tooltip = ["trial:N", "axis:N", "value:N", _POINTS]
    lines = alt.Chart(table).mark_line(opacity=0.75).encode(x, y, colour, alt.Detail("trial:N"))
    points = alt.Chart(table).mark_circle(size=30).encode(x, y, colour, tooltip=tooltip)
    ends = alt.Chart(coordinates.axis_ends(table)).encode(x, y, text="value:N")
    return alt.layer(lines, points, ends.mark_text(dx=4, align="left", fontSize=10)).properties(
        width=WIDTH, height=220, title=method
    )


def slices(results: Results, method: str) -> alt.TopLevelMixin | None:
    """A method's scores against each of its hyperparameters, a panel each."""
    table = coordinates.coordinates(results, method)
    axes = [axis for axis in dict.fromkeys(table["axis"]) if axis != coordinates.SCORE_AXIS]
    if not axes:
        return None
    space = results.sweep.spaces()[method].distributions
    panels = [_slice(table[table["axis"] == axis], axis, space[axis], results) for axis in axes]
    return alt.concat(*panels, columns=4).properties(title=method)


def _slice(table: pd.DataFrame, axis: str, dimension: BaseDistribution, results: Results) -> alt.Chart:
    numeric = not isinstance(dimension, CategoricalDistribution)
    scale = alt.Scale(type="log") if getattr(dimension, "log", False) else alt.Scale(zero=False)
    value = alt.X("value:Q", title=axis, scale=scale, axis=alt.Axis(tickCount=3, format="~g"))
    chart = alt.Chart(table.assign(value=table["value"].astype(float)) if numeric else table)
    return (
        chart.mark_circle(size=45, opacity=0.7)
        .encode(
            value if numeric else alt.X("value:N", title=axis, axis=alt.Axis(labelAngle=0)),
            alt.Y("score:Q", title=metric_name(results), scale=alt.Scale(zero=False)),
            tooltip=["trial:N", "value:N", _POINTS],
        )
        .properties(width=_PANEL / 2, height=110)
    )


def importance(table: pd.DataFrame) -> alt.TopLevelMixin:
    """How much of the variance each hyperparameter explains, a panel a method.

    Args:
        table: a row a hyperparameter: method, hyperparameter, importance (0 to 1).
    """
    return (
        alt.Chart(table)
        .mark_bar()
        .encode(
            alt.X("importance:Q", title="share of importance", axis=alt.Axis(format="%")),
            alt.Y("hyperparameter:N", sort="-x", title=None),
            tooltip=["method:N", "hyperparameter:N", alt.Tooltip("importance:Q", format=".0%")],
        )
        .properties(width=_PANEL, height=alt.Step(16))
        .facet(alt.Facet("method:N", title=None), columns=2)
        .resolve_scale(y="independent")
    )


def _method(method: MethodVerdict, axis: str) -> dict[str, Any]:
    score = method.score
    return {
        "method": method.method,
        "score": score.mean,
        "low": score.low,
        "high": score.high,
        "cost": method.costs[axis] / axis_unit(axis),
        "label": f"{score.mean:.2f} [{score.low:.2f}, {score.high:.2f}]",
    }


def _trials(results: Results, axis: str) -> pd.DataFrame:
    """The trials that were trained to the end: only their costs are those of the full budget."""
    rows = [
        {
            "id": record.id,
            "method": record.method,
            "score": record.score,
            "cost": cost / axis_unit(axis),
            "hyperparameters": compact(record.hyperparameters),
        }
        for record in results.records
        if record.phase == "qualifying" and record.status == "completed"
        if (cost := record.cost.get(axis)) is not None and record.score is not None
    ]
    return pd.DataFrame(rows, columns=["id", "method", "score", "cost", "hyperparameters"])


def _front_line(methods: pd.DataFrame, front: Front) -> alt.Chart:
    """Stairs: between two methods of the front, money buys no more than the cheaper one gives."""
    on_front = methods[methods["method"].isin(front.methods)]
    return alt.Chart(on_front).mark_line(
        interpolate="step-after", strokeDash=[5, 4], color="#888888", strokeWidth=1.5
    )


def _untrained(baseline: MethodVerdict) -> list[alt.Chart]:
    row = pd.DataFrame({"score": [baseline.score.mean], "text": ["untrained"]})
    chart = alt.Chart(row).encode(y="score:Q")
    text = chart.mark_text(align="left", dy=-6).encode(x=alt.value(4), text="text:N")
    return [chart.mark_rule(strokeDash=[2, 3], color="#777777"), text]


def _scale(costs: list[float]) -> alt.Scale:
    wide = min(costs) > 0 and max(costs) / min(costs) >= _LOG_FROM
    return alt.Scale(type="log", padding=30) if wide else alt.Scale(zero=False, padding=30)


def _by_method(results: Results, *, legend: bool = False) -> tuple[alt.Color, alt.Shape]:
    names = results.methods
    shown = alt.Legend(title=None) if legend else None
    colours, shapes = ([values[i % len(values)] for i in range(len(names))] for values in (_COLOURS, _SHAPES))
    return (
        alt.Color("method:N", scale=alt.Scale(domain=names, range=colours), legend=shown),
        alt.Shape("method:N", scale=alt.Scale(domain=names, range=shapes), legend=None),
    )


def _panels(results: Results) -> alt.Facet:
    return alt.Facet("method:N", title=None, sort=results.methods)


def _validation(results: Results) -> str:
    return f"{metric_name(results)} on validation"
