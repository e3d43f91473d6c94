"""Many comparisons at once: Holm's correction, and the ties it leaves as compact letters."""

import string
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values so that the rate of any false finding holds (Holm, 1979); NaN stays NaN.

    An unknown p-value counts among the comparisons: it is a question asked.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    steps = np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * steps), 1)
    return adjusted


def letters(methods: Sequence[str], different: Collection[frozenset[str]]) -> dict[str, str]:
    """Assign compact letters: two methods share a letter exactly where they are not in `different`.

    Insertion and absorption (Piepho, "An Algorithm for a Letter-Based Representation of All-Pairwise
    Comparisons", 2004). `methods` come best first, and `a` goes to the best.
    """
    groups = [frozenset(methods)]
    for pair in sorted(different, key=sorted):
        split = [group - {method} for group in groups if pair <= group for method in pair]
        groups = _absorb([*(group for group in groups if not pair <= group), *split])
    places = {method: place for place, method in enumerate(methods)}
    groups.sort(key=lambda group: sorted(places[method] for method in group))
    return {m: "".join(_symbol(i) for i, group in enumerate(groups) if m in group) for m in methods}


def _absorb(groups: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """Remove groups that lie within another."""
    return [group for group in set(groups) if not any(group < other for other in groups)]


def _symbol(place: int) -> str:
    letters = string.ascii_letters
    return letters[place] if place < len(letters) else chr(0x100 + place)
