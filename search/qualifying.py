"""The search phase: every method has its trials, scored on validation data, the losers stopped early."""

from search.assignments import Plan
from search.experiment import Experiment
from search.ledger import Ledger
from search.recorder import Event
from search.records import Record
from search.scheduler import MethodASHA
from search.searcher import MethodSearch
from search.studies import rebuild


def trials_left(plan: Plan, ledger: Ledger) -> int:
    """Trials that have not ended, those that have not begun included."""
    ended = sum(r.status != "running" for method in plan.sweep.methods for r in ledger.qualifying(method))
    return plan.sweep.qualifying.trials_per_method * len(plan.sweep.methods) - ended


def qualify(plan: Plan, ledger: Ledger, experiment: Experiment) -> None:
    """Take up the search where the ledger says it is."""
    studies = rebuild(plan.sweep, ledger, plan.rungs)

    def learn(event: Event, record: Record) -> None:
        if event in ("rung", "failed"):
            studies[record.method].tell(record)

    scheduler = MethodASHA(ledger, studies, plan.sweep.qualifying.reduction_factor)
    experiment.fit(
        MethodSearch(plan, ledger, studies),
        ledger,
        trials_left(plan, ledger),
        scheduler=scheduler,
        listeners=[learn],
    )
