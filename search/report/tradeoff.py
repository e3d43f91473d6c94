"""Quality on test against one cost: methods with their intervals, the Pareto front, ties and baselines."""

import math
from collections.abc import Sequence
from typing import Any

from search.records import BASELINE, Results
from search.report.labels import Point, placed
from search.report.looks import coloured, shaped
from search.report.names import metric_name
from search.report.palette import REST
from search.report.scored import Scored, scored
from search.report.vegalite import Spec, data, mark, name, number
from search.verdict import Front, MethodVerdict, Verdict
from trainables.amounts import known, within
from trainables.cost.declared import COST_FIGURES

WIDTH, HEIGHT = 560, 380
_NARROW = (290, 300)
"""Of the chart on a phone, for which names are placed anew."""
_LOG_FROM = 20
"""A cost axis is logarithmic where its largest value is so many times its smallest."""
_FRONT = {"interpolate": "step-after", "strokeDash": [5, 4], "color": REST, "strokeWidth": 1.5}
"""Stairs: between two methods of the front, money buys no more than the cheaper one gives."""


def tradeoff(results: Results, verdict: Verdict, front: Front) -> Spec:
    """Plot quality on test against one cost, with intervals, the Pareto front, ties and baselines."""
    axis = front.axis
    rows = [_method(verdict, method, axis) for method in verdict.methods if axis in method.costs]
    lines = [_reference(row, verdict.metric) for row in scored(results, verdict) if row.is_reference]
    x_scale = _cost_scale([row["cost"] for row in rows])
    y_scale = _score_scale([*rows, *lines])
    _place(rows, x_scale, y_scale)
    x = number("cost", title=COST_FIGURES[axis].axis_title, scale=x_scale, axis=_ticks(x_scale))
    y = number("score", title=_on_test(results, verdict), scale=y_scale, axis={"tickCount": 6})
    layers = [
        *_baselines(lines, y),
        *_ties(rows, x, y),
        *_front([row for row in rows if row["method"] in front.methods], x, y),
        *_methods(results, rows, x, y),
    ]
    drawn = [layer for layer in layers if layer["data"]["values"]]
    return {"layer": drawn, "width": WIDTH, "height": HEIGHT}


def _methods(results: Results, rows: list[dict[str, Any]], x: Spec, y: Spec) -> list[Spec]:
    place = {"x": x, "y": y, "color": coloured(results)}
    spread = {**place, "y": number("low", title=""), "y2": {"field": "high"}}
    tooltip = [
        name("method"),
        name("label", title=metric_name(results)),
        name("tie", title="beside the best"),
    ]
    marked = {**place, "shape": shaped(results), "tooltip": tooltip}
    named = {"x": x, "y": y, "text": name("method")}
    names = {"fontWeight": "bold", **{key: {"expr": f"datum.{key}"} for key in ("dx", "dy", "align")}}
    return [
        data([row for row in rows if known(row["low"])]) | mark("rule", spread, strokeWidth=2),
        data(rows) | mark("point", marked, filled=True, size=130, opacity=1),
        data(rows) | mark("text", named, baseline="middle", **names),
    ]


def _ties(rows: list[dict[str, Any]], x: Spec, y: Spec) -> list[Spec]:
    """Shade the intervals of those that cannot be told apart from the best: others may score between them."""
    tied = [row for row in rows if row["tie"] in (_BEST, _TIED) and known(row["low"])]
    shade = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
    look = {"strokeWidth": 20, "strokeCap": "round", "opacity": 0.28, "color": REST}
    return [data(tied if len(tied) > 1 else []) | mark("rule", shade, **look)]


def _baselines(lines: list[dict[str, Any]], y: Spec) -> list[Spec]:
    """Draw what no method's training has cost anything: a line across, with its interval as a band."""
    shade = {"y": {**y, "field": "low"}, "y2": {"field": "high"}}
    across, label = {"y": y}, {"align": "left", "baseline": "bottom", "dy": -3, "fontStyle": "italic"}
    return [
        data([line for line in lines if known(line["low"])]) | mark("rect", shade, color=REST, opacity=0.18),
        data(lines) | mark("rule", across, strokeDash=[2, 3], color=REST),
        data(lines) | mark("text", {"x": {"value": 4}, "y": y, "text": name("text")}, **label),
    ]


def _front(rows: list[dict[str, Any]], x: Spec, y: Spec) -> list[Spec]:
    return [data(rows) | mark("line", {"x": x, "y": y}, **_FRONT)]


_BEST, _TIED, _WORSE, _OPEN = "the best", "tied with the best", "worse", "not compared"


def _method(verdict: Verdict, method: MethodVerdict, axis: str) -> dict[str, Any]:
    score = method.score
    return {
        "method": method.method,
        "score": score.mean,
        "low": score.low,
        "high": score.high,
        "cost": method.costs[axis] / COST_FIGURES[axis].unit.divisor,
        "label": within(score.mean, score.low, score.high),
        "tie": _tie(verdict, method.method),
    }


def _tie(verdict: Verdict, method: str) -> str:
    """Say how a method stands beside the best."""
    if verdict.lead is None or method in verdict.uncompared:
        return _OPEN if verdict.lead else _WORSE
    return _BEST if method == verdict.lead.best else _TIED if method in verdict.lead.tied else _WORSE


def _reference(row: Scored, metric: str) -> dict[str, Any]:
    score = row.scores[metric]
    text = "untrained" if row.name == BASELINE else row.label
    return {"score": score.mean, "low": score.low, "high": score.high, "text": text}


def _cost_scale(costs: list[float]) -> Spec:
    """Leave room at both ends for the names."""
    low, high = min(costs), max(costs)
    if low > 0 and high / low >= _LOG_FROM:
        room = (high / low) ** 0.12
        return {"type": "log", "domain": [low / room, high * room], "nice": False}
    room = 0.15 * (high - low) or 0.5 * high or 1.0
    return {"domain": [max(0.0, low - room), high + room], "nice": False}


def _ticks(scale: Spec) -> Spec:
    """Tick a logarithm at powers of ten, and at no more than six of them."""
    if scale.get("type") != "log":
        return {"format": "~s", "tickCount": 5}
    low, high = (math.log10(end) for end in scale["domain"])
    powers = range(math.ceil(low), math.floor(high) + 1)
    shown = [10.0**power for power in powers[:: -(-len(powers) // 6)]] if len(powers) > 1 else None
    return {"format": "~s", **({"values": shown} if shown else {"tickCount": 4})}


def _score_scale(rows: Sequence[dict[str, Any]]) -> Spec:
    ends = [row[end] for row in rows for end in ("low", "score", "high") if known(row[end])]
    room = 0.06 * (max(ends) - min(ends)) or 1.0
    return {"domain": [min(ends) - room, max(ends) + room], "nice": False, "zero": False}


def _place(rows: list[dict[str, Any]], x: Spec, y: Spec) -> None:
    """Give each row where its name stands, on a wide chart and on a narrow one."""
    for prefix, (width, height) in {"": (WIDTH, HEIGHT), "narrow_": _NARROW}.items():
        points = [_point(row, x, y, width, height) for row in rows]
        labels = placed([row["method"] for row in rows], points, width=width, height=height)
        for row, label in zip(rows, labels, strict=True):
            row |= {f"{prefix}dx": label.dx, f"{prefix}dy": label.dy, f"{prefix}align": label.align}


def _point(row: dict[str, Any], x: Spec, y: Spec, width: float, height: float) -> Point:
    ends = [row[end] if known(row[end]) else row["score"] for end in ("score", "high", "low")]
    return Point(_part(row["cost"], x) * width, *((1 - _part(end, y)) * height for end in ends))


def _part(value: float, scale: Spec) -> float:
    low, high = scale["domain"]
    if scale.get("type") == "log":
        value, low, high = math.log(value), math.log(low), math.log(high)
    return float((value - low) / (high - low))


def _on_test(results: Results, verdict: Verdict) -> list[str]:
    """Title the quality axis; it says what intervals leave out, as figures are shown without the report."""
    only = verdict.intervals_over == "documents only"
    return [f"{metric_name(results)} on test", *(["intervals over documents only"] if only else [])]
