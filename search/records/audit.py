"""Audit early stopping: run some of the stopped trials on to the full budget.

Their scores say how often a rung stopped a trial that would have won. They decide nothing: neither the winner
nor the studies nor ASHA's rungs know of them.
"""

from collections.abc import Iterable

from search.records.record import Record, now
from search.records.seeds import derived_seed
from trainables.status import Status


def drawn(trials: Iterable[Record], count: int) -> list[Record]:
    """Draw `count` of one method's stopped trials at random; a larger count draws the same ones and more.

    The order is that of hashes of the trials' seeds, which follow from the sweep's.
    """
    stopped = [trial for trial in trials if trial.status is Status.STOPPED]
    return sorted(stopped, key=lambda trial: derived_seed(trial.seed, "audit"))[:count]


def audit_of(trial: Record) -> Record:
    """Build the record of the run that takes a stopped trial to the end."""
    return Record(
        id=f"{trial.method}/audit-{trial.number:04d}",
        method=trial.method,
        number=trial.number,
        phase="audit",
        split="validation",
        origin=trial.origin,
        of_trial=trial.id,
        hyperparameters=trial.hyperparameters,
        seed=trial.seed,
        started=now(),
    )
