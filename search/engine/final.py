"""The final: the untrained model, and each method's winner retrained over seeds, on the test split.

Beside it, where the sweep asks for them, run the default configurations, retrained and scored alike, and the
audit of trials that were stopped early.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from search.engine.experiment import Experiment, TrialPhase, Work
from search.engine.searcher import RecordQueue
from search.records import (
    BASELINE,
    Phase,
    Plan,
    Record,
    TrialStore,
    audit_of,
    derived_seed,
    drawn,
    now,
    winner,
)
from trainables.status import Status


class Final(TrialPhase):
    """The runs of the final, resumed from the trial store."""

    name = "final"

    def left(self, plan: Plan, store: TrialStore) -> int:
        """Count the runs to enter, else those that were entered and have not ended."""
        return len(_to_enter(plan, store)) or self.unended(plan, store)

    def unended(self, plan: Plan, store: TrialStore) -> int:
        return len(runs_left(plan, store))

    def prepare(self, plan: Plan, experiment: Experiment) -> Experiment:
        enter(plan, TrialStore(plan.folder))
        return experiment

    @contextmanager
    def work(self, plan: Plan, store: TrialStore) -> Iterator[Work]:
        yield Work(RecordQueue(plan, store, runs_left(plan, store)))


def enter(plan: Plan, store: TrialStore) -> None:
    """Enter missing runs; enter again those of a former winner and those that failed.

    An audit goes on from the checkpoint of its trial where that was kept, so entering it removes nothing.
    """
    for record in _to_enter(plan, store):
        if record.phase == "audit" and record.id not in store.records:
            store.begin(record)
        else:
            store.replace(record)


def runs_left(plan: Plan, store: TrialStore) -> list[Record]:
    """List the runs that were entered and have not ended."""
    entered = (store.records[record.id] for record in [*_on_test(plan, store), *_audits(plan, store)])
    return [record for record in entered if not record.status.has_ended]


def _to_enter(plan: Plan, store: TrialStore) -> list[Record]:
    """List the runs without a valid record: it is missing, of a former winner, or failed."""

    def is_due(record: Record) -> bool:
        known = store.records.get(record.id)
        if known is None or known.status is Status.FAILED:
            return True
        return record.phase != "audit" and (
            known.of_trial != record.of_trial or known.status.facts.has_failed
        )

    return [record for record in [*_on_test(plan, store), *_audits(plan, store)] if is_due(record)]


def _on_test(plan: Plan, store: TrialStore) -> list[Record]:
    """List the runs on test, baseline first, then seed by seed: an interrupted final compares whole seeds."""
    winners = [winner(store.search(method)) for method in plan.sweep.methods]
    seeds = range(plan.sweep.final.seeds)
    runs = [_record(plan, seed, of, "final") for seed in seeds for of in winners if of]
    defaults = [_record(plan, seed, of, "untuned") for seed in seeds for of in _defaults(plan, store)]
    return [_record(plan, 0, None, "final"), *runs, *defaults]


def _defaults(plan: Plan, store: TrialStore) -> list[Record]:
    """List the defaults to retrain: those with the full budget that did not win; winners have their runs."""
    if not plan.sweep.final.retrain_defaults:
        return []
    searches = [store.search(method) for method in plan.sweep.methods]
    return [
        trial
        for trials in searches
        for trial in trials
        if trial.origin == "default" and trial.status is Status.COMPLETED and trial is not winner(trials)
    ]


def _audits(plan: Plan, store: TrialStore) -> list[Record]:
    count = plan.sweep.search.audit
    searches = [store.search(method) for method in plan.sweep.methods]
    return [audit_of(trial) for trials in searches for trial in drawn(trials, count)]


def _record(plan: Plan, seed: int, of: Record | None, phase: Phase) -> Record:
    """Build a run on test; a winner and its method's default share a seed and differ in hyperparameters."""
    method = of.method if of else BASELINE
    origin = "default" if phase == "untuned" else "winner" if of else "baseline"
    return Record(
        id=f"{method}/{'untuned' if phase == 'untuned' else 'seed'}-{seed}",
        method=method,
        number=seed,
        phase=phase,
        split="test",
        origin=origin,
        of_trial=of.id if of else None,
        hyperparameters=of.hyperparameters if of else {},
        seed=derived_seed(plan.sweep.seed, method, "final", seed),
        started=now(),
    )
