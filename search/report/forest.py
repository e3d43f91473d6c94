"""The methods as a forest plot: intervals on one scale, seeds, ties, the noise floor, and what each cost."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from scipy.special import stdtrit

from search.records import Results
from search.report.headline import MAIN_COSTS
from search.report.looks import coloured, shaped
from search.report.names import metric_name
from search.report.palette import REST
from search.report.scored import Scored, scored
from search.report.vegalite import Spec, data, mark, name, number
from search.verdict import Verdict, default_name
from trainables.amounts import known, within
from trainables.cost.declared import COST_FIGURES

WIDTH = 620
_BARS, _BAR, _GAP, _TIE = 3, 76, 14, 14
"""How many panels of bars, and widths in pixels: of one, between panels, of a group of ties."""
_ROW, _CHARACTER = 38, 6.6

Panel = Callable[[Spec], Spec]
"""A panel of the plot, from the encoding of its rows."""


def forest(results: Results, verdict: Verdict) -> Spec | None:
    """Plot each method's interval on a common scale, with its seeds, its ties and the costs that matter.

    `usermeta` says how the page lays it out anew: `widths`, the shares of the chart's width and the pixels
    beside them that panels take, and `narrow`, the same for a chart on a phone, with the bars beneath.
    """
    shown = [row for row in scored(results, verdict) if not row.is_reference]
    if not shown:
        return None
    names = [row.name for row in shown]
    groups = _groups(shown)
    ties = [partial(_ties, groups)] if groups else []
    points = partial(_intervals, results, verdict, shown)
    bars = [partial(_bars, shown, axis) for axis in _axes(shown)]
    beside = max(map(len, names)) * _CHARACTER + (len(groups) * _TIE + _GAP if groups else 0)
    rest = len(bars) * (_BAR + _GAP)
    wide = _composed([*ties, points, *bars], names, _ROW)
    wide["hconcat"][len(ties)]["width"] = max(160, WIDTH - beside - rest)
    narrow = [_composed(panels, names, 30) for panels in ([*ties, points], bars) if panels]
    share = 1 / max(1, len(bars))
    phone = {"forest": [1, -beside], "bar": [share, -share * max(map(len, names)) * _CHARACTER - _GAP]}
    layouts = {"widths": {"forest": [1, -beside - rest]}, "narrow": {"vconcat": narrow, "widths": phone}}
    return {**wide, "usermeta": layouts}


def _composed(panels: Sequence[Panel], names: list[str], row: int) -> Spec:
    """Set panels beside each other on the same rows; the first one names them."""
    axis = {"domain": False, "ticks": False, "labelPadding": 6, "labelLimit": 200, "labelFontWeight": "bold"}
    rows = [_rows(names, shown) for shown in (axis, *[None] * (len(panels) - 1))]
    drawn = [{**panel(y), "height": row * len(names)} for panel, y in zip(panels, rows, strict=True)]
    return {"hconcat": drawn, "spacing": _GAP, "resolve": {"scale": {"y": "shared"}}}


def _rows(names: list[str], axis: Spec | None) -> Spec:
    return name("method", sort=names, title=None, scale={"domain": names}, axis=axis)


def noise_floor(verdict: Verdict) -> float | None:
    """Return the points that the means of two equal methods are apart in one of twenty sweeps by seeds alone.

    From the spread of the seeds' means, pooled over the methods, for as many seeds as the best has; None
    where no methods are compared, or their seeds do not differ.
    """
    spreads = [(m.score.seed_sd, m.seeds - 1) for m in verdict.methods if known(m.score.seed_sd)]
    df = sum(each for _, each in spreads)
    if verdict.lead is None or not df:
        return None
    seeds = next(method.seeds for method in verdict.methods if method.method == verdict.lead.best)
    variance = sum(sd**2 * each for sd, each in spreads) / df
    return float(stdtrit(df, 0.975) * (2 * variance / seeds) ** 0.5) or None


def _intervals(results: Results, verdict: Verdict, shown: list[Scored], y: Spec) -> Spec:
    rows = [_interval(row, verdict.metric) for row in shown]
    seeds, floor = _seeds(results, [row.name for row in shown]), _floor(verdict)
    ends = [row[end] for row in rows for end in ("low", "score", "high") if known(row[end])]
    ends += [row["score"] for row in seeds]
    room = 0.04 * (max(ends) - min(ends)) or 1.0
    scale = {"domain": [min(ends) - room, max(ends) + room], "nice": False, "zero": False}
    x = number("score", title=None, scale=scale, axis={"tickCount": 5})
    place = {"x": x, "y": y, "color": coloured(results)}
    tooltip = [name("method"), name("label", title=metric_name(results)), number("seeds")]
    layers = [
        data(floor)
        | mark("rect", {"x": {**x, "field": "low"}, "x2": {"field": "high"}}, color=REST, opacity=0.2),
        data([row for row in rows if known(row["low"])])
        | mark("rule", {**place, "x": {**x, "field": "low"}, "x2": {"field": "high"}}, strokeWidth=2.5),
        data(seeds) | mark("point", place, filled=True, size=14, opacity=0.9, yOffset=8),
        data(rows)
        | mark(
            "point", {**place, "shape": shaped(results), "tooltip": tooltip}, filled=True, size=90, opacity=1
        ),
        data(rows) | mark("text", {"x": x, "y": y, "text": name("mean")}, dy=-11, fontSize=10.5),
    ]
    drawn = [layer for layer in layers if layer["data"]["values"]]
    return {"name": "forest", "title": _title(f"{metric_name(results)} on test"), "layer": drawn}


def _interval(row: Scored, metric: str) -> dict[str, Any]:
    score = row.scores[metric]
    label = within(score.mean, score.low, score.high)
    return {
        "method": row.name,
        "score": score.mean,
        "low": score.low,
        "high": score.high,
        "label": label,
        "mean": label.partition(" ")[0],
        "seeds": row.seeds,
    }


def _seeds(results: Results, names: list[str]) -> list[dict[str, Any]]:
    """List the score of each run of the final, as its record has it."""
    runs = [*results.finals[["method", "score"]].itertuples(index=False)]
    runs += [(default_name(method), score) for method, score in _of_defaults(results)]
    return [{"method": m, "score": float(s)} for m, s in runs if m in names and known(s)]


def _of_defaults(results: Results) -> list[tuple[str, float]]:
    return [*results.retrained_defaults[["method", "score"]].itertuples(index=False)]


def _floor(verdict: Verdict) -> list[dict[str, Any]]:
    floor = noise_floor(verdict)
    if verdict.lead is None or floor is None:
        return []
    best = next(method for method in verdict.methods if method.method == verdict.lead.best)
    return [{"low": best.score.mean - floor, "high": best.score.mean}]


def _groups(shown: list[Scored]) -> list[list[str]]:
    """List the groups of methods that cannot be told apart, two or more each, in the order of the rows."""
    letters = sorted({letter for row in shown for letter in row.letters if letter.isalpha()})
    members = [[row.name for row in shown if letter in row.letters] for letter in letters]
    return [group for group in members if len(group) > 1]


def _ties(groups: list[list[str]], y: Spec) -> Spec:
    """Draw a bracket a group, with a dot at each of its members: others may stand between them."""
    brackets = [{"group": i, "method": group[0], "last": group[-1]} for i, group in enumerate(groups)]
    members = [{"group": i, "method": method} for i, group in enumerate(groups) for method in group]
    x = name("group", axis=None)
    layers = [
        data(brackets) | mark("rule", {"x": x, "y": y, "y2": {"field": "last"}}, strokeWidth=1.5, color=REST),
        data(members) | mark("circle", {"x": x, "y": y}, size=36, color=REST, opacity=1),
    ]
    return {"name": "ties", "title": _title("Tied"), "layer": layers, "width": len(groups) * _TIE}


def _axes(shown: list[Scored]) -> list[str]:
    measured = list(dict.fromkeys(axis for row in shown for axis in row.costs))
    main = [axis for axis in MAIN_COSTS if axis in measured]
    return [*main, *(axis for axis in measured if axis not in main)][:_BARS]


def _bars(shown: list[Scored], axis: str, y: Spec) -> Spec:
    unit = COST_FIGURES[axis].unit
    rows: list[dict[str, Any]] = [
        {"method": row.name, "cost": row.costs[axis], "text": unit.brief(row.costs[axis])}
        for row in shown
        if axis in row.costs
    ]
    most = max(row["cost"] for row in rows) or 1.0
    x = number("cost", title=None, scale={"domain": [0, most], "nice": False}, axis=None)
    layers = [
        data(rows) | mark("bar", {"x": x, "y": y}, height=6, yOffset=6),
        data(rows) | mark("text", {"x": {"value": 0}, "y": y, "text": name("text")}, align="left", dy=-5),
    ]
    title = _title(COST_FIGURES[axis].title)
    return {"name": f"bar-{axis}", "title": title, "layer": layers, "width": _BAR}


def _title(text: str) -> Spec:
    """Head a panel in two lines, so that all panels' titles take the same room."""
    first, _, rest = text.partition(" ")
    return {
        "text": [first, rest or " "],
        "fontSize": 11,
        "fontWeight": "normal",
        "anchor": "start",
        "frame": "group",
    }
