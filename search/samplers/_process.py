"""A Gaussian process over hyperparameters and the share of the budget, fitted by its posterior mode.

A trial's curve is a common trend over the budget and a deviation that depends on the hyperparameters:

    k((x, t), (x', t')) = a k(|t - t'|) + b k(|x - x'| by dimension) k(|t - t'| by a length) + noise

with k the Matern kernel of 5/2 (Rasmussen & Williams, 2006, 4.2 and 5.4; over the budget: Swersky et al.,
2013). Priors keep the lengths sensible with fewer trials than dimensions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

LENGTH, NEAR = (0.0, 1.0), (0.0, 0.7)
SIGNAL, TREND, NOISE = (0.0, 1.0), (-0.7, 1.0), (-3.0, 1.0)
"""Mean and standard deviation of the logarithm of: a length over a hyperparameter, that over the budget, the
variances of what hyperparameters do, of the trend and of the noise; scores have variance 1."""
WIDEST = 4
"""Standard deviations of the priors beyond which nothing is looked for."""
OPTIONS = {"maxiter": 30}
JITTER = 1e-6
"""Added to the variances of scores, so that equal points can be told apart at all."""


@dataclass(frozen=True)
class Rows:
    """What was seen: a row is a trial at a rung."""

    points: np.ndarray
    """(rows, columns): hyperparameters, each from 0 to 1."""
    budgets: np.ndarray
    """(rows,): 0 is the full budget; 1 apart is far."""


class Process:
    """A fitted process.

    Args:
        rows: what was seen.
        scores: (rows,), of mean 0 and variance 1.
        groups: (columns,): the hyperparameter of each column; those of one share a length.
    """

    def __init__(self, rows: Rows, scores: np.ndarray, groups: np.ndarray) -> None:
        self.rows, self.scores, self.groups = rows, scores, groups
        means, spreads = _priors(int(groups.max()) + 1)
        objective = _objective(rows, scores, groups, (means, spreads))
        bounds = list(zip(means - WIDEST * spreads, means + WIDEST * spreads, strict=True))
        found = minimize(objective, means, jac=True, method="L-BFGS-B", bounds=bounds, options=OPTIONS)
        self.logs = found.x
        self._condition()

    def believe(self, points: np.ndarray) -> None:
        """Take for seen what it expects at the full budget: Kriging believer (Ginsbourger et al., 2010)."""
        expected, _ = self.at_full_budget(points)
        self.rows = Rows(
            np.vstack([self.rows.points, points]), np.append(self.rows.budgets, np.zeros(len(points)))
        )
        self.scores = np.append(self.scores, expected)
        self._condition()

    def at_full_budget(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation, without noise, of the score of each point at the full budget."""
        lengths, near, signal, trend, _ = _unpacked(self.logs, self.groups)
        there = Rows(points, np.zeros(len(points)))
        cross = _covariance(there, self.rows, lengths, near, signal, trend)
        mean = cross @ self._weights
        half = solve_triangular(self._root, cross.T, lower=True, check_finite=False)
        variance = np.maximum(signal + trend - (half**2).sum(axis=0), 1e-12)
        return mean, np.sqrt(variance)

    def _condition(self) -> None:
        lengths, near, signal, trend, noise = _unpacked(self.logs, self.groups)
        kernel = _covariance(self.rows, self.rows, lengths, near, signal, trend)
        kernel[np.diag_indices_from(kernel)] += noise + JITTER
        self._root = cholesky(kernel, lower=True, check_finite=False)
        self._weights = cho_solve((self._root, True), self.scores, check_finite=False)


def _priors(dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations; lengths grow with the root of the dimensions, as distances do."""
    length = (LENGTH[0] + np.log(dimensions) / 2, LENGTH[1])
    both = np.array([length] * dimensions + [NEAR, SIGNAL, TREND, NOISE])
    return both[:, 0], both[:, 1]


def _unpacked(logs: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, float, float, float, float]:
    """Length a column, length over the budget, variances of signal, trend and noise."""
    near, signal, trend, noise = np.exp(logs[-4:])
    return np.exp(logs[:-4])[groups], near, signal, trend, noise


def _matern(squared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The kernel of squared distances, and its derivative by them."""
    scaled = np.sqrt(5 * squared)
    decay = np.exp(-scaled)
    return (1 + scaled + scaled**2 / 3) * decay, -5 / 6 * (1 + scaled) * decay


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    squared = (one**2).sum(1)[:, None] + (other**2).sum(1)[None, :] - 2 * one @ other.T
    return np.maximum(squared, 0.0)


def _covariance(
    one: Rows, other: Rows, lengths: np.ndarray, near: float, signal: float, trend: float
) -> np.ndarray:
    by_points, _ = _matern(_apart(one.points / lengths, other.points / lengths))
    apart = (one.budgets[:, None] - other.budgets[None, :]) ** 2
    return signal * by_points * _matern(apart / near**2)[0] + trend * _matern(apart)[0]


def _objective(
    rows: Rows, scores: np.ndarray, groups: np.ndarray, priors: tuple[np.ndarray, np.ndarray]
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Return the negative log posterior of the logarithms, with its gradient."""
    size, dimensions = len(scores), int(groups.max()) + 1
    by_column = (rows.points[:, None, :] - rows.points[None, :, :]) ** 2
    by_group = np.stack([by_column[:, :, groups == g].sum(2) for g in range(dimensions)])
    by_group = by_group.reshape(dimensions, size * size)
    by_budget = (rows.budgets[:, None] - rows.budgets[None, :]) ** 2
    common = _matern(by_budget)[0]
    identity = np.eye(size)

    def value(logs: np.ndarray) -> tuple[float, np.ndarray]:
        inverse = np.exp(-2 * logs[:dimensions])
        near, signal, trend, noise = np.exp(logs[-4:])
        points, by_points = _matern((inverse @ by_group).reshape(size, size))
        budgets, by_near = _matern(by_budget / near**2)
        kernel = signal * points * budgets + trend * common + (noise + JITTER) * identity
        root = cholesky(kernel, lower=True, check_finite=False)
        weights = cho_solve((root, True), scores, check_finite=False)
        slack = cho_solve((root, True), identity, check_finite=False) - np.outer(weights, weights)
        lengths = -inverse * (by_group @ (slack * signal * by_points * budgets).ravel())
        others = [
            -(slack * signal * points * by_near * by_budget).sum() / near**2,
            (slack * signal * points * budgets).sum() / 2,
            (slack * trend * common).sum() / 2,
            np.trace(slack) * noise / 2,
        ]
        standard = (logs - priors[0]) / priors[1]
        likelihood = scores @ weights / 2 + np.log(np.diag(root)).sum()
        return likelihood + (standard**2).sum() / 2, np.append(lengths, others) + standard / priors[1]

    return value
