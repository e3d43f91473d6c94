"""What stops or pauses trials early, within each method."""

from search.config import Sweep
from search.records import TrialStore
from search.schedulers.asha import MethodASHA, Rungs
from search.schedulers.promote import MethodPromotion
from search.schedulers.scheduler import MethodScheduler

__all__ = ["MethodScheduler", "Rungs", "scheduler_of"]


def scheduler_of(sweep: Sweep, store: TrialStore) -> MethodScheduler:
    """Build the scheduler that a sweep names; without rungs ASHA has nothing to decide."""
    if sweep.search.scheduler == "promote":
        return MethodPromotion(store, sweep)
    return MethodASHA(store, sweep.methods, sweep.search.reduction_factor, sweep.search.costs)
