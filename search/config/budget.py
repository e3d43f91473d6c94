"""How much each trial may train, and where it is scored on the way."""

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
