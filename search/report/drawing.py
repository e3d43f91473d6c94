"""Charts for print: from Vega-Lite to SVG.

vl-convert takes half a second to start Vega, which is JavaScript, and draws with Python's lock held.
`tuneoff report` leaves that to a process beside its own, which starts Vega while the command imports what it
needs, and draws while the command writes.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit
from typing import IO, Any

import vl_convert

Draw = Callable[[Sequence[dict[str, Any]]], Iterator[str]]
"""Charts to their SVG, in order."""

_SMALLEST = {"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}
_PIPE_BYTES = 2**20
"""Room for what is drawn before it is taken, where the system gives it."""


class NotDrawn(RuntimeError):
    """The process that draws was ended by a signal: V8 ends one that may not have the memory it reserves."""


def draw(charts: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Draw SVGs, each when the iterator reaches it: in this process, unless V8 might end it.

    Raises:
        NotDrawn: V8 ended the process that draws beside one of limited memory.
    """
    if getrlimit(RLIMIT_AS)[0] == RLIM_INFINITY:
        yield from _drawn(charts)
        return
    with drawn_beside() as beside:
        yield from beside(charts)


def _drawn(charts: Sequence[dict[str, Any]]) -> Iterator[str]:
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
        try:
            yield partial(_ask, process)
        finally:
            process.kill()
            with suppress(BrokenPipeError):  # of a process that ended before it was asked
                process.stdin.close()


def _ask(process: subprocess.Popen[str], charts: Sequence[dict[str, Any]]) -> Iterator[str]:
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(f"{json.dumps(charts)}\n")
        process.stdin.flush()
    return _answers(process, len(charts))


def _answers(process: subprocess.Popen[str], count: int) -> Iterator[str]:
    assert process.stdout is not None
    given = 0
    for line in islice(process.stdout, count):
        yield json.loads(line)
        given += 1
    if given < count and (code := process.wait()) < 0:
        raise NotDrawn(signal.Signals(-code).name)


def _answer(question: IO[str], answer: IO[str]) -> None:
    """Read a whole line before drawing anything, so that neither side waits for the other to read."""
    list(_drawn([_SMALLEST]))
    for line in question:
        for svg in _drawn(json.loads(line)):
            answer.write(f"{json.dumps(svg)}\n")
            answer.flush()


if __name__ == "__main__":
    _answer(sys.stdin, sys.stdout)
