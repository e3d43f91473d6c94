"""The colours of the page and of all charts, each with its like on a dark ground, declared once.

Those of methods follow Okabe and Ito (https://jfly.uni-koeln.de/color/), moved until each stands out from its
ground (a contrast of 3 or more, WCAG 1.4.11) and readers of any colour vision tell most of them apart; shapes
tell methods apart as well.
"""

from typing import Any

METHODS = ("#0068A8", "#D45500", "#008A66", "#B5468C", "#AD8A00", "#3E97D8", "#6E3B1F", "#4A4A52")
_METHODS_ON_DARK = ("#4FA8E8", "#F07A2E", "#1FB085", "#E78AC3", "#F2D15A", "#A6D8FF", "#B07A50", "#C9C9D2")
SHAPES = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-right",
    "triangle-left",
)
REST = "#85858F"
"""What is beside the point, on either ground: reference lines, trials that were stopped."""

TOKENS = {
    "text": ("#1C1C1E", "#ECECEE"),
    "quiet": ("#5B5B62", "#A9A9B2"),
    "ground": ("#FFFFFF", "#16161A"),
    "panel": ("#F5F5F7", "#212127"),
    "line": ("#DCDCE0", "#3A3A42"),
    "grid": ("#ECECEF", "#2A2A31"),
    "link": ("#0060A8", "#7AB8EC"),
    "mark": ("#FFE3AD", "#5C4413"),
    "warn": ("#B34700", "#F07A2E"),
    "bar": ("#9DB8CC", "#4A6A80"),
}
"""Name to the colour on a light ground and on a dark one."""


def css() -> str:
    """Declare the tokens as custom properties of the page."""
    return "\n".join(f"  --{name}: light-dark({light}, {dark});" for name, (light, dark) in TOKENS.items())


def look(*, dark: bool = False, font: str = "Helvetica, Arial, sans-serif") -> dict[str, Any]:
    """Configure Vega-Lite: what is no row's own colour comes from here."""
    ink = {name: pair[dark] for name, pair in TOKENS.items()}
    labels = {
        "labelColor": ink["quiet"],
        "titleColor": ink["quiet"],
        "labelFontSize": 11,
        "titleFontSize": 11,
    }
    labels |= {"titleFontWeight": "normal"}
    ramp = [REST, METHODS[0]] if not dark else [ink["quiet"], _METHODS_ON_DARK[0]]
    return {
        "background": "transparent" if dark else ink["ground"],
        "font": font,
        "view": {"stroke": None},
        "axis": {**labels, "gridColor": ink["grid"], "domainColor": ink["line"], "tickColor": ink["line"]},
        "axisX": {"labelOverlap": "parity", "labelSeparation": 8},
        "legend": {**labels, "orient": "top", "symbolSize": 60, "offset": 12},
        "header": {
            "labelColor": ink["text"],
            "labelFontSize": 12,
            "labelAnchor": "start",
            "labelFontWeight": "bold",
        },
        "title": {"color": ink["text"], "anchor": "start", "fontSize": 12},
        "text": {"color": ink["text"], "fontSize": 11},
        "rule": {"color": ink["text"]},
        "bar": {"color": ink["bar"]},
        "rect": {"color": ink["bar"]},
        "range": {
            "category": list(_METHODS_ON_DARK if dark else METHODS),
            "ramp": ramp,
            "ordinal": ramp,
            "symbol": list(SHAPES),
        },
    }
