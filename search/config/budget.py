"""How much each trial may train, where it is scored on the way, and how many are promoted there."""

import math

from search.config.settings import Search


def rungs(search: Search, train_examples: int) -> list[int]:
    """Budgets in examples seen at which a trial is scored, rising; the last is the full budget.

    From the full budget down, each rung is smaller by the reduction factor, as long as it is not below
    `first_rung` of the full budget. Without a scheduler there is only the full budget.
    """
    full = max(1, round(search.max_epochs * train_examples))
    if search.scheduler == "none":
        return [full]
    levels = [full]
    share = 1 / search.reduction_factor
    while share >= search.first_rung and (level := round(full * share)) >= 1:
        levels.append(level)
        share /= search.reduction_factor
    return sorted(set(levels))


def places(planned: int, reduction_factor: int, rung: int) -> int:
    """Count the trials that are promoted from a rung: of 16, by a factor of 3, 5, then 2, then 1."""
    return max(1, math.floor(planned / reduction_factor ** (rung + 1) + 0.5))


def promoted(search: Search, trials: int, rungs: int) -> list[float]:
    """Estimate how many of a method's trials reach each rung by promotion, the first, the default, always.

    Where the best by score or loss are promoted, as if the two had nothing to do with each other.
    """
    orders = 2 if search.promote_by == "score or loss" and not search.costs else 1
    reached = [float(trials)]
    for rung in range(rungs - 1):
        share = places(trials, search.reduction_factor, rung) / reached[-1]
        out = max(0.0, 1 - share) ** orders
        reached.append(reached[-1] * (1 - out) + out)
    return reached
