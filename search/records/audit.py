"""The audit of early stopping: some of the stopped trials are run on to the full budget after all.

What they come to tells how often a rung stopped a trial that would have won. They decide nothing: neither the
winner nor the studies nor ASHA's rungs know of them.
"""

from collections.abc import Iterable

from search.records.record import Record, now
from search.records.seeds import derived_seed
from trainables.status import Status


def drawn(trials: Iterable[Record], count: int) -> list[Record]:
    """`count` of one method's stopped trials, at random: a larger count draws the same ones and more.

    The order is that of hashes of the trials' seeds, so of the sweep's.
    """
    stopped = [trial for trial in trials if trial.status is Status.STOPPED]
    return sorted(stopped, key=lambda trial: derived_seed(trial.seed, "audit"))[:count]


def audit_of(trial: Record) -> Record:
    """The run that takes a stopped trial to the end: the same trial, under a record of its own."""
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
