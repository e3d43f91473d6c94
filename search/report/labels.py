"""Where the names of points stand on a chart, so that none covers another name or another point."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

_CHARACTER, _LINE = 6.6, 13.0
"""Width and height in pixels of what a name is written in."""
_POINT, _INTERVAL = 7.0, 3.0
"""Half the width of a point, and of its interval, with some air."""
_DISTANCES = (11.0, 20.0, 32.0, 46.0)
_DIRECTIONS = ((1, -0.35), (-1, -0.35), (1, 0.6), (-1, 0.6), (0, -1), (0, 1))
"""Right, left, to the right below, to the left below, above, below: what is tried first is best."""


class Point(NamedTuple):
    """A point and the ends of its interval, in pixels right of the left edge and below the top edge."""

    x: float
    y: float
    top: float
    bottom: float


class Label(NamedTuple):
    """Offsets in pixels from the point to the name, and how the name is aligned there."""

    dx: float
    dy: float
    align: str


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "_Box") -> float:
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)


def placed(names: Sequence[str], points: Sequence[Point], *, width: float, height: float) -> list[Label]:
    """Place names one by one, each where it covers the least of points, intervals, names and the edge."""
    taken = [_Box(p.x - _POINT, p.y - _POINT, p.x + _POINT, p.y + _POINT) for p in points]
    taken += [_Box(p.x - _INTERVAL, p.top, p.x + _INTERVAL, p.bottom) for p in points]
    labels = []
    for name, point in zip(names, points, strict=True):
        label, box = min(_choices(name, point), key=lambda one: _cost(one[1], taken, width, height))
        labels.append(label)
        taken.append(box)
    return labels


def _choices(name: str, point: Point) -> Iterator[tuple[Label, _Box]]:
    for distance, (right, down) in product(_DISTANCES, _DIRECTIONS):
        dx, dy = right * min(distance, 16.0), down * distance
        align = "left" if right > 0 else "right" if right < 0 else "center"
        length = _CHARACTER * len(name)
        left = point.x + dx - {"left": 0.0, "right": length, "center": length / 2}[align]
        top = point.y + dy - _LINE / 2
        yield Label(dx, dy, align), _Box(left, top, left + length, top + _LINE)


def _cost(box: _Box, taken: Sequence[_Box], width: float, height: float) -> float:
    """Return the area that is covered; what lies outside of the chart counts as such."""
    area = (box.right - box.left) * (box.bottom - box.top)
    outside = area - box.overlap(_Box(0, 0, width, height))
    return outside + sum(box.overlap(other) for other in taken)
