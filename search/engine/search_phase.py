"""The search phase: every method has its trials, scored on validation data, the losers stopped early."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from search.engine.experiment import Experiment, TrialPhase, Work
from search.engine.searcher import MethodSearch
from search.engine.time_limit import TimeLimit
from search.records import Event, Plan, Record, TrialStore, note_placement, planned_trials
from search.schedulers import scheduler_of
from search.studies import rebuild, show


class SearchPhase(TrialPhase):
    """Equally many trials of each method, or equal time, resumed from the trial store."""

    name = "search"

    def unended(self, plan: Plan, store: TrialStore) -> int:
        """Count the trials that have not ended, those that have not begun included."""
        left = 0
        for method in plan.sweep.methods:
            begun = store.search(method)
            ended = sum(record.status.has_ended for record in begun)
            left += planned_trials(plan.sweep, method, begun) - ended
        return left

    def prepare(self, plan: Plan, experiment: Experiment) -> Experiment:
        """Start the search's time; place several trials on a GPU where the checks found room for them."""
        experiment = experiment.packed(found.figures("memory") for found in plan.preflight.methods.values())
        note_placement(plan.folder, gpus_per_trial=experiment.slots.gpus)
        limit = TimeLimit("search.deadline", plan.sweep.search.deadline)
        return replace(experiment, limit=experiment.limit.sooner(limit))

    @contextmanager
    def work(self, plan: Plan, store: TrialStore) -> Iterator[Work]:
        studies = rebuild(plan.sweep, store, plan.rungs)

        def learn(event: Event, record: Record) -> None:
            if event in ("rung", "failed"):
                studies[record.method].tell(record)

        scheduler = scheduler_of(plan.sweep, store)
        try:
            yield Work(MethodSearch(plan, store, studies, scheduler), scheduler, [learn])
        finally:
            show(studies)
