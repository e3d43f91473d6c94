"""The trade-off between quality, which should be high, and a cost, which should be low."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def on_front(costs: ArrayLike, qualities: ArrayLike) -> NDArray[np.bool_]:
    """Mask of non-dominated points, bool `(methods,)` or `(draws, methods)`.

    One point dominates another where it is no worse in cost and quality, and better in one of them.

    Args:
        costs: shape (methods,).
        qualities: shape (methods,), or (draws, methods), each draw with a front of its own.
    """
    cost, quality = np.asarray(costs, dtype=float), np.asarray(qualities, dtype=float)
    dearer = cost[:, None] - cost[None, :]  # (method, by which other)
    worse = quality[..., None, :] - quality[..., :, None]
    dominated = (dearer >= 0) & (worse >= 0) & ((dearer > 0) | (worse > 0))
    return ~dominated.any(axis=-1)


def front_ranks(losses: ArrayLike) -> list[int]:
    """Rank points by Pareto front: 0 where none dominates it, 1 where only points of rank 0 do, and so on.

    Non-dominated sorting (Deb et al., 2002, doi 10.1109/4235.996017).

    Args:
        losses: shape (points, objectives), each to be low.
    """
    points = np.asarray(losses, dtype=float)
    no_worse = np.all(points[:, None] <= points[None], axis=-1)
    dominates = np.asarray(no_worse & np.any(points[:, None] < points[None], axis=-1))  # (which, whom)
    ranks, left = np.zeros(len(points), dtype=int), np.ones(len(points), dtype=bool)
    while left.any():
        first = left & ~dominates[left].any(axis=0)
        left &= ~first
        ranks[left] += 1
    return [int(rank) for rank in ranks]


def hypervolume(
    costs: ArrayLike, qualities: ArrayLike, *, reference_cost: float, reference_quality: float
) -> NDArray[np.float64]:
    """Measure the area between front and reference point, cost times quality (Zitzler and Thiele, 1998).

    A point that costs more than the reference, or is worse than it, adds nothing.

    Args:
        costs: shape (methods,).
        qualities: shape (methods,), or (draws, methods).
        reference_cost: the right-hand edge.
        reference_quality: the lower edge.

    Returns:
        A value a draw; of shape () where `qualities` has one dimension.
    """
    order = np.argsort(np.asarray(costs, dtype=float), kind="stable")
    edges = np.minimum([*np.asarray(costs, dtype=float)[order], reference_cost], reference_cost)
    reached = np.maximum.accumulate(np.asarray(qualities, dtype=float)[..., order], axis=-1)
    return np.maximum(reached - reference_quality, 0) @ np.diff(edges)
