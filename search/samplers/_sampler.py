"""What every sampler says of itself."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from optuna.samplers import BaseSampler, RandomSampler

from spaces import Space

Point = dict[str, Any]
"""A value for each hyperparameter that is searched."""


@dataclass(frozen=True)
class Searched:
    """What is searched of one method."""

    space: Space
    listed: Collection[str] = ()
    """Hyperparameters for which the sweep file lists choices, instead of narrowing a range."""


@dataclass(frozen=True)
class Next:
    """The trial that is to be proposed."""

    seed: int
    """Of this trial alone."""
    number: int = 0
    """From 0, the default configuration."""
    full_budget: int = 1
    """Of a trial that is run to its end, as the study counts: the step of its last intermediate value."""
    objectives: int = 1


BROKE = "broke"
"""User attribute of a study's trial that did not train: it diverged or ran out of memory."""


class Sampler:
    """A way to propose hyperparameters; a subclass overrides what it does not do as random search does."""

    summary: str
    """What it proposes, for the description of `search.sampler`."""
    papers: tuple[str, ...] = ()
    """Keys of what a paper cites for it, in `search/report/paper/references.bib`."""
    independent_trials: float = 0
    """The first trials of a method, the default among them, that are random and independent of each other."""

    def objection(self, searched: Searched) -> str | None:
        """Why it cannot search this, and what it needs; None: it can."""
        return None

    def points(self, searched: Searched) -> int | None:
        """How many points there are to propose, the default among them; None: no end of them."""
        return None

    def sequence(self, searched: Searched, seed: int) -> Callable[[int], Point] | None:
        """What gives the point at each place, from 0, after the default; None: `optuna_sampler` proposes."""
        return None

    def optuna_sampler(self, coming: Next) -> BaseSampler:
        """What proposes one trial, from those before it, where no `sequence` does."""
        return RandomSampler(coming.seed)
