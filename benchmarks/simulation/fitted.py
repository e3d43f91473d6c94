"""Oracles fitted to recorded curves, each rung for itself, as smooth as left-out curves say."""

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.simulation.curves import Curves, MethodCurves
from benchmarks.simulation.oracles import Oracle, Point, features

RECORDED = 32
"""Validation examples that the recorded curves were scored on."""
VALIDATION = 256
"""Those that a sweep scores by default."""
PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0)
LENGTHS = (1.0, 2.0, 4.0)
RUNGS = 3
"""Those of a sweep by default: at a ninth of the full budget, a third, and the whole."""
Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]


def fitted(curves: Curves) -> list[Oracle]:
    """Return two oracles a method: a ridge regression with a bend in the learning rate, and a kernel's."""
    return [
        Oracle(
            f"{method}, {name}",
            table.searched,
            curves.rungs[-RUNGS:],
            fit(table),
            noise(table)[-RUNGS:],
            curves.reduction_factor,
        )
        for method, table in curves.methods.items()
        for name, fit in (("ridge", _ridge), ("kernel", _smooth))
    ]


def noise(table: MethodCurves) -> list[float]:
    """Estimate the standard deviation of a score, as `VALIDATION` examples leave it.

    Rungs lie evenly on a logarithmic scale: the third difference of four scores is 0 where a curve bends
    evenly, so what it comes to is noise, and at most that. As much again is the trial's own.
    """
    scores = np.array([curve.scores for curve in table.curves if _is_whole(curve.scores)], dtype=float)
    third = scores[:, -4:] @ np.array([1, -3, 3, -1]) / np.sqrt(20)
    deviation = float(np.sqrt(2 * (third**2).mean() * RECORDED / VALIDATION))
    return [deviation] * scores.shape[1]


def _is_whole(scores: Sequence[float | None]) -> bool:
    return None not in scores and len(scores) >= 4


def _ridge(table: MethodCurves) -> Callable[[Sequence[Point]], np.ndarray]:
    def kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return _bent(one) @ _bent(other).T

    return _regression(table, [kernel])


def _bent(columns: np.ndarray) -> np.ndarray:
    """Add the square of the first column, the learning rate's."""
    return np.hstack([columns, columns[:, :1] ** 2])


def _smooth(table: MethodCurves) -> Callable[[Sequence[Point]], np.ndarray]:
    return _regression(table, [_gaussian(length) for length in LENGTHS])


def _gaussian(length: float) -> Kernel:
    def kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        squared = ((one[:, None, :] - other[None, :, :]) ** 2).sum(2)
        return np.exp(-squared / (2 * length**2 * one.shape[1] / 4))

    return kernel


def _regression(table: MethodCurves, kernels: Sequence[Kernel]) -> Callable[[Sequence[Point]], np.ndarray]:
    """Regress each rung on the points, about its mean; left-out curves choose kernel and penalty."""
    whole = [curve for curve in table.curves if _is_whole(curve.scores)]
    seen = features(table.space, [curve.hyperparameters for curve in whole])
    scores = np.array([curve.scores[-RUNGS:] for curve in whole], dtype=float)
    mean = scores.mean(axis=0)
    weights, chosen = [], []
    for rung in range(scores.shape[1]):
        errors = {
            (k, penalty): _left_out(kernel(seen, seen), scores[:, rung] - mean[rung], penalty)
            for k, kernel in enumerate(kernels)
            for penalty in PENALTIES
        }
        k, penalty = min(errors, key=errors.__getitem__)
        gram = kernels[k](seen, seen) + penalty * np.eye(len(seen))
        weights.append(np.linalg.solve(gram, scores[:, rung] - mean[rung]))
        chosen.append(kernels[k])

    def predict(points: Sequence[Point]) -> np.ndarray:
        there = features(table.space, points)
        columns = [kernel(there, seen) @ weight for kernel, weight in zip(chosen, weights, strict=True)]
        return np.maximum(mean + np.stack(columns, axis=1), 0.0)

    return predict


def _left_out(gram: np.ndarray, scores: np.ndarray, penalty: float) -> float:
    """Mean squared error of each score by the others, in closed form."""
    hat = gram @ np.linalg.inv(gram + penalty * np.eye(len(gram)))
    return float((((scores - hat @ scores) / (1 - np.diag(hat))) ** 2).mean())
