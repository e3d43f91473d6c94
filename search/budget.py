"""How much each trial may train, and where it is scored on the way."""

from search.settings import Qualifying


def rungs(qualifying: Qualifying, train_examples: int) -> list[int]:
    """Budgets in examples seen at which a trial is scored, rising; the last is the full budget.

    From the full budget down, each rung is smaller by the reduction factor, as long as it is not below
    `first_rung` of the full budget. Without a scheduler there is only the full budget.
    """
    full = max(1, round(qualifying.max_epochs * train_examples))
    if qualifying.scheduler == "none":
        return [full]
    levels = [full]
    share = 1 / qualifying.reduction_factor
    while share >= qualifying.first_rung and (level := round(full * share)) >= 1:
        levels.append(level)
        share /= qualifying.reduction_factor
    return sorted(set(levels))
