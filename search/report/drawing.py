"""Charts for print: from Vega-Lite to SVG.

vl-convert takes half a second to start Vega, which is JavaScript, and draws with Python's lock held.
`tuneoff report` leaves that to a process beside its own, which starts Vega while the command imports what it
needs, and draws while the command writes.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import IO, Any

import vl_convert

Draw = Callable[[Sequence[dict[str, Any]]], Iterator[str]]
"""Charts to their SVG, in order."""

_SMALLEST = {"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}
_PIPE_BYTES = 2**20
"""Room for what is drawn before it is taken, where the system gives it."""


def draw(charts: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Draw SVGs in this process, each when the iterator reaches it."""
    return (vl_convert.vegalite_to_svg(json.dumps(chart)) for chart in charts)


@contextmanager
def drawn_beside() -> Iterator[Draw]:
    """Provide `draw` in a process that starts now, and draws when it is called.

    What a call gives is taken before the next call. If a chart cannot be drawn, the process says why on the
    error stream, and no more are given.
    """
    with subprocess.Popen(
        [sys.executable, "-P", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pipesize=_PIPE_BYTES,
        text=True,
        start_new_session=True,  # Ctrl-C is for the command, which then ends it
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield partial(_ask, process.stdin, process.stdout)
        finally:
            process.kill()


def _ask(question: IO[str], answer: IO[str], charts: Sequence[dict[str, Any]]) -> Iterator[str]:
    question.write(f"{json.dumps(charts)}\n")
    question.flush()
    return map(json.loads, islice(answer, len(charts)))


def _answer(question: IO[str], answer: IO[str]) -> None:
    """Read a whole line before drawing anything, so that neither side waits for the other to read."""
    list(draw([_SMALLEST]))
    for line in question:
        for svg in draw(json.loads(line)):
            answer.write(f"{json.dumps(svg)}\n")
            answer.flush()


if __name__ == "__main__":
    _answer(sys.stdin, sys.stdout)
