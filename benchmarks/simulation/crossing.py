"""Curves that cross: what is best in the end starts slowest, which early stopping cannot know."""

from collections.abc import Sequence

import numpy as np

import spaces
from benchmarks.simulation.oracles import Oracle, Point, features

RUNGS = [166, 498, 1495]


def crossing(method: str) -> Oracle:
    """Return an oracle over the method's own space: lower learning rates end higher and take longer.

    A curve rises to its level as 1 - exp(-budget / pace). The level is highest a fifth of the way up the
    learning rates; other hyperparameters add up to two points; the pace is the slower the lower the rate.
    """
    space = spaces.get(method)
    weights = np.random.default_rng(len(space.distributions)).uniform(-1, 1, 64)

    def scores(points: Sequence[Point]) -> np.ndarray:
        columns = features(space.distributions, points)
        rate, others = columns[:, 0], columns[:, 1:]
        level = 20 - 8 * (rate + 0.6) ** 2 + others @ weights[: others.shape[1]] * 2 / others.shape[1]
        pace = 0.08 * np.exp(-1.6 * rate)  # of the full budget
        shares = np.array(RUNGS) / RUNGS[-1]
        return level[:, None] * (1 - np.exp(-shares / pace[:, None]))

    return Oracle(f"{method}, crossing", space, RUNGS, scores, [0.6] * len(RUNGS))
