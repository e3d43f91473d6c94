"""Outputs that are no answers: a mean score hides how many of them there are."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import pandas as pd

from search.records import Results
from search.verdict.runs import counting
from trainables.errors import InputError

_COPIED_WORDS = 20
"""So many words in the source's own order are a copy; fewer may be a name or a quotation."""
_TIMES = 4
_REPEATED_CHARACTERS = 24
"""A text that ends in the same words so many times, over so many characters, would go on for ever."""
_SEED_OF_REPETITION = 8


@dataclass(frozen=True)
class Degenerate:
    """Shares of a method's outputs on test, 0 to 1, the mean over its seeds; one output may be of several."""

    empty: float
    copied: float
    """The source, or twenty words or more of it in one piece."""
    repeated: float
    """Ends in the same words, four times or more in a row."""
    capped: float | None
    """Cut at the generation cap; None where no text is generated."""
    same: float
    """The most frequent text, written for several sources; zero unless it is more than twice as frequent as
    any reference, or the only text."""


def degenerate(results: Results) -> dict[str, Degenerate]:
    """Map method to its shares; methods without predictions are left out.

    An output that is empty or a copy is none where a reference is so too.
    """
    runs: dict[str, list[Degenerate]] = {}
    for run in counting(results.finals).itertuples():
        try:
            table = results.predictions(str(run.method), int(run.seed))
        except InputError:
            continue
        if len(table):
            runs.setdefault(str(run.method), []).append(_of_run(table, run.capped_share))
    return {method: _mean(found) for method, found in runs.items()}


def _of_run(table: pd.DataFrame, capped_share: float) -> Degenerate:
    outputs, sources = [_flat(text) for text in table["prediction"]], [_flat(t) for t in table["source"]]
    references = [{_flat(text) for text in row} for row in table["references"]]
    wrong = [output not in row for output, row in zip(outputs, references, strict=True)]
    copied = [_is_copy(*pair) for pair in zip(outputs, sources, strict=True)]
    return Degenerate(
        empty=float(np.mean([not text and no for text, no in zip(outputs, wrong, strict=True)])),
        copied=float(np.mean(np.logical_and(copied, wrong))),
        repeated=float(np.mean([repeats(text) for text in table["prediction"]])),
        capped=None if math.isnan(capped_share) else float(capped_share),
        same=_same(outputs, sources, Counter(text for row in references for text in row)),
    )


def _is_copy(output: str, source: str) -> bool:
    if not output or output == source:
        return bool(output)
    return output.count(" ") + 1 >= _COPIED_WORDS and output in source


def _same(outputs: list[str], sources: list[str], references: Counter[str]) -> float:
    """Return the share of the most frequent text that is not empty, as `Degenerate.same` counts it."""
    ((text, count),) = Counter(filter(None, outputs)).most_common(1) or [("", 0)]
    several = len({source for output, source in zip(outputs, sources, strict=True) if output == text}) > 1
    expected = max(references.values(), default=0)
    frequent = count > 2 * expected or expected < count == len(outputs)
    return count / len(outputs) if several and frequent else 0.0


def repeats(text: str) -> bool:
    """Tell whether a text ends in the same characters, `_TIMES` times in a row or more."""
    backwards = f" {text.rstrip()}"[::-1]  # as many spaces as words
    return any(_goes_back(backwards, period) for period in _periods(backwards))


def _periods(backwards: str) -> Iterator[int]:
    """Yield the distances at which the end of a text occurs again."""
    end = backwards[:_SEED_OF_REPETITION]
    most = len(backwards) // _TIMES
    place = backwards.find(end, 1)
    while 0 < place <= most:
        yield place
        place = backwards.find(end, place + 1)


def _goes_back(backwards: str, period: int) -> bool:
    repeated = max(_TIMES * period, _REPEATED_CHARACTERS) - period
    return (
        len(backwards) >= period + repeated and backwards[:repeated] == backwards[period : period + repeated]
    )


def _flat(text: str) -> str:
    return " ".join(text.split())


def _mean(runs: list[Degenerate]) -> Degenerate:
    return Degenerate(
        empty=fmean(run.empty for run in runs),
        copied=fmean(run.copied for run in runs),
        repeated=fmean(run.repeated for run in runs),
        capped=fmean(known) if (known := [run.capped for run in runs if run.capped is not None]) else None,
        same=fmean(run.same for run in runs),
    )
