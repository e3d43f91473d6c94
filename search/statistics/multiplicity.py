"""Many comparisons at once: corrected p-values, and the ties that are left as compact letters."""

import string
from collections.abc import Collection, Sequence
from functools import cache
from itertools import combinations

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


MOST_PARTITIONED = 8
"""Methods with more than 4,140 ways to be equal are left to Holm's correction."""


def all_pairs(p_values: ArrayLike, methods: int) -> NDArray[np.float64]:
    """Adjust the p-values of all pairs of methods so that the rate of any false finding holds.

    Closed testing over every way in which methods can be equal (Bergmann and Hommel, "Improvements of
    General Multiple Test Procedures for Redundant Systems of Hypotheses", 1988): a partition of the methods
    into groups of equal ones is tested by the smallest p-value within the groups times the number of pairs
    in them, and a pair's adjusted p-value is the largest over the partitions that hold it equal. No pair's
    is larger than after Holm, which knows nothing of A = B and B = C implying A = C. Over more than
    `MOST_PARTITIONED` methods it is Holm's. NaN counts as a pair that is not told apart, and stays NaN.

    Args:
        p_values: (pairs,), in the order of `itertools.combinations` of the methods.
        methods: how many there are.
    """
    p = np.asarray(p_values, dtype=float)
    if methods > MOST_PARTITIONED:
        return holm(p)
    equal = _equal_pairs(methods)
    smallest = np.where(equal, np.nan_to_num(p, nan=1.0), np.inf).min(axis=1, initial=np.inf)
    tested = np.minimum(smallest * equal.sum(axis=1), 1)
    adjusted = np.where(equal, tested[:, None], 0).max(axis=0, initial=0)
    return np.where(np.isnan(p), np.nan, adjusted)


@cache
def _equal_pairs(methods: int) -> NDArray[np.bool_]:
    """Tell of each partition but that of all apart which pairs are in one group, (partitions, pairs)."""
    groups = np.zeros((1, 1), dtype=int)[:, :methods]
    for _ in range(methods - 1):
        choices = [np.append(row, group) for row in groups for group in range(row.max() + 2)]
        groups = np.array(choices)
    first, second = np.array(list(combinations(range(methods), 2)), dtype=int).reshape(-1, 2).T
    equal = groups[:, first] == groups[:, second]
    return equal[equal.any(axis=1)]


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
