"""The final: the untrained model, and each method's winner retrained over seeds, on the test split."""

from search.assignments import Plan
from search.experiment import Experiment
from search.ledger import Ledger
from search.records import UNSCORED, Record, now
from search.results import BASELINE, winner
from search.searcher import RecordQueue
from search.seeds import derived_seed


def enter(plan: Plan, ledger: Ledger) -> None:
    """Enter the runs that are missing, and anew those of a former winner and those that failed."""
    for record in _wanted(plan, ledger):
        known = ledger.records.get(record.id)
        if known is None or known.of_trial != record.of_trial or known.status in UNSCORED:
            ledger.replace(record)


def runs_left(plan: Plan, ledger: Ledger) -> list[Record]:
    """The runs that were entered and have not ended."""
    entered = (ledger.records[record.id] for record in _wanted(plan, ledger))
    return [record for record in entered if record.status == "running"]


def hold(plan: Plan, ledger: Ledger, experiment: Experiment) -> None:
    """Take up the final where the ledger says it is."""
    waiting = runs_left(plan, ledger)
    experiment.fit(RecordQueue(plan, ledger, waiting), ledger, len(waiting))


def _wanted(plan: Plan, ledger: Ledger) -> list[Record]:
    """Baseline first, then seed by seed, so that an interrupted final compares whole seeds."""
    winners = [winner(ledger.qualifying(method)) for method in plan.sweep.methods]
    runs = [_record(plan, seed, of) for seed in range(plan.sweep.final.seeds) for of in winners if of]
    return [_record(plan, 0, None), *runs]


def _record(plan: Plan, seed: int, of: Record | None) -> Record:
    method = of.method if of else BASELINE
    return Record(
        id=f"{method}/seed-{seed}",
        method=method,
        number=seed,
        phase="final",
        split="test",
        origin="winner" if of else "baseline",
        of_trial=of.id if of else None,
        hyperparameters=of.hyperparameters if of else {},
        seed=derived_seed(plan.sweep.seed, method, "final", seed),
        started=now(),
    )
