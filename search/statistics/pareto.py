"""The trade-off between quality, which should be high, and a cost, which should be low."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def on_front(costs: ArrayLike, qualities: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other dominates: is as good on both, and better on one.

    Args:
        costs: shape (methods,).
        qualities: shape (methods,), or (draws, methods), each draw with a front of its own.
    """
    cost, quality = np.asarray(costs, dtype=float), np.asarray(qualities, dtype=float)
    dearer = cost[:, None] - cost[None, :]  # (method, by which other)
    worse = quality[..., None, :] - quality[..., :, None]
    dominated = (dearer >= 0) & (worse >= 0) & ((dearer > 0) | (worse > 0))
    return ~dominated.any(axis=-1)


def hypervolume(
    costs: ArrayLike, qualities: ArrayLike, *, reference_cost: float, reference_quality: float
) -> NDArray[np.float64]:
    """Area between the front and the reference point, in cost times quality (Zitzler and Thiele, 1998).

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
