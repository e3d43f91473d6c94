"""Sweeps whose methods have known means, and seeds that move them by as much as is said.

The noise is that of ROUGE-L a dialogue, in points: documents differ by 7, methods react to a document each
in its own way by 4, and 6 are left between two seeds' outputs for one document. Two runs of different
methods then differ by 10 points a document, as measured for full fine-tuning, LoRA and prompt tuning on
DialogSum (8 to 10). All of it is skewed as ROUGE is, or has heavier tails, or is zero for most documents.
Seeds move a method's mean by 0.3 unless said.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from search.statistics.comparison import Scores

DOCUMENT_SD, INTERACTION_SD, REST_SD, SEED_SD = 7.0, 4.0, 6.0, 0.3
_SKEW_SHAPE = 4.0
"""A gamma distribution of this shape has the skewness 1."""
_TAIL_DF = 3.0
"""Student's t with three degrees of freedom has a variance, and no higher moments."""
_NOT_ZERO = 0.3
"""Share of the documents on which a method scores, where scores are zero-inflated."""
Shape = Literal["skewed", "heavy-tailed", "zero-inflated"]


@dataclass(frozen=True)
class Scenario:
    """What is planted: the methods' true means, and how much a seed moves a mean, in points."""

    means: tuple[float, ...]
    seeds: tuple[int, ...] | int = 3
    documents: int = 500
    seed_sds: tuple[float, ...] | float = SEED_SD
    shape: Shape = "skewed"

    def describe(self) -> str:
        seeds, sds = (
            "/".join(map(str, each)) if isinstance(each, tuple) else each
            for each in (self.seeds, self.seed_sds)
        )
        shape = "" if self.shape == "skewed" else f", {self.shape}"
        return f"{len(self.means)} methods, {seeds} seeds, {self.documents} documents, seed sd {sds}{shape}"

    @property
    def spreads(self) -> Scores:
        """How much a seed moves each method's mean, (methods,)."""
        return np.broadcast_to(np.asarray(self.seed_sds, dtype=float), len(self.means))


def plant(scenario: Scenario, rng: np.random.Generator) -> dict[str, Scores]:
    """One sweep's scores: method to points, (seeds, documents)."""
    seeds = np.broadcast_to(np.asarray(scenario.seeds), len(scenario.means))
    shape = (len(seeds), int(seeds.max()), scenario.documents)
    noise = partial(_noise, rng=rng, is_heavy=scenario.shape == "heavy-tailed")
    scores = np.reshape(scenario.means, (-1, 1, 1)) + DOCUMENT_SD * noise((1, 1, shape[2]))
    scores = scores + INTERACTION_SD * noise((shape[0], 1, shape[2])) + REST_SD * noise(shape)
    if scenario.shape == "zero-inflated":  # for all methods alike, as where a document is too hard
        scores *= (rng.random(shape[2]) < _NOT_ZERO) / _NOT_ZERO
    scores += scenario.spreads[:, None, None] * rng.standard_normal((*shape[:2], 1))
    runs = zip(scores, seeds, strict=True)
    return {f"method{place}": values[:finished] for place, (values, finished) in enumerate(runs)}


def _noise(shape: tuple[int, ...], rng: np.random.Generator, *, is_heavy: bool) -> Scores:
    """Mean 0 and standard deviation 1, with heavy tails or the skewness 1."""
    if is_heavy:
        return rng.standard_t(_TAIL_DF, shape) * ((_TAIL_DF - 2) / _TAIL_DF) ** 0.5
    drawn: Scores = (rng.standard_gamma(_SKEW_SHAPE, shape) - _SKEW_SHAPE) / _SKEW_SHAPE**0.5
    return drawn


def plant_names(scenario: Scenario) -> list[str]:
    return [f"method{place}" for place in range(len(scenario.means))]
