"""Charts in Vega-Lite 6, which is plain data (https://vega.github.io/vega-lite/docs/spec.html).

Written out, because a library that makes it from objects takes longer to be imported, to copy them and to
check them than Vega takes to draw the charts.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

Spec = dict[str, Any]
"""A chart, or a part of one, as JSON has it."""

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""What a whole chart names as its `$schema`."""


def data(rows: Iterable[Mapping[str, Any]]) -> Spec:
    """Give a chart, or a layer of it, its rows; numbers that are not finite become null."""
    return {"data": {"values": [{name: _finite(value) for name, value in row.items()} for row in rows]}}


def mark(kind: str, encoding: Spec, **style: Any) -> Spec:
    """Draw a mark a row, or a line through all; `encoding` maps channels to columns."""
    return {"mark": {"type": kind, **style}, "encoding": encoding}


def number(column: str, **channel: Any) -> Spec:
    """Encode a channel that shows an amount."""
    return {"field": column, "type": "quantitative", **channel}


def name(column: str, **channel: Any) -> Spec:
    """Encode a channel that shows a name."""
    return {"field": column, "type": "nominal", **channel}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
