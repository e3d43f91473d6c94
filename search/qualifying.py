"""The search phase: every method has its trials, scored on validation data, the losers stopped early."""

from search.allowance import planned_trials
from search.assignments import Plan
from search.events import Event
from search.experiment import Experiment
from search.ledger import Ledger
from search.records import Record
from search.scheduler import MethodASHA
from search.searcher import MethodSearch
from search.studies import rebuild, show


def trials_left(plan: Plan, ledger: Ledger) -> int:
    """Trials that have not ended, those that have not begun included."""
    left = 0
    for method in plan.sweep.methods:
        begun = ledger.qualifying(method)
        ended = sum(record.status != "running" for record in begun)
        left += planned_trials(plan.sweep, method, begun) - ended
    return left


def qualify(plan: Plan, ledger: Ledger, experiment: Experiment) -> None:
    """Take up the search where the ledger says it is."""
    studies = rebuild(plan.sweep, ledger, plan.rungs)

    def learn(event: Event, record: Record) -> None:
        if event in ("rung", "failed"):
            studies[record.method].tell(record)

    settings = plan.sweep.qualifying
    scheduler = MethodASHA(ledger, studies, settings.reduction_factor, settings.costs)
    try:
        experiment.fit(
            MethodSearch(plan, ledger, studies),
            ledger,
            scheduler=scheduler,
            listeners=[learn],
        )
    finally:
        show(studies)
