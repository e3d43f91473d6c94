"""The search phase: every method has its trials, scored on validation data, the losers stopped early."""

from search.engine.experiment import Experiment
from search.engine.searcher import MethodSearch
from search.records import Event, Plan, Record, TrialStore, planned_trials
from search.schedulers import MethodASHA
from search.studies import rebuild, show


def trials_left(plan: Plan, store: TrialStore) -> int:
    """Trials that have not ended, those that have not begun included."""
    left = 0
    for method in plan.sweep.methods:
        begun = store.search(method)
        ended = sum(record.status.has_ended for record in begun)
        left += planned_trials(plan.sweep, method, begun) - ended
    return left


def run_search(plan: Plan, store: TrialStore, experiment: Experiment) -> None:
    """Take up the search where the trial store says it is."""
    studies = rebuild(plan.sweep, store, plan.rungs)

    def learn(event: Event, record: Record) -> None:
        if event in ("rung", "failed"):
            studies[record.method].tell(record)

    settings = plan.sweep.search
    scheduler = MethodASHA(store, studies, settings.reduction_factor, settings.costs)
    try:
        experiment.fit(
            MethodSearch(plan, store, studies),
            store,
            scheduler=scheduler,
            listeners=[learn],
        )
    finally:
        show(studies)
