"""Turn records into the assignments that workers get."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from search.config import Sweep
from search.records.preflight_results import PreflightResults
from search.records.record import Record
from search.records.run_folder import RunFolder
from trainables.assignment import Assignment


@dataclass(frozen=True)
class Plan:
    """What all trials of a sweep have in common."""

    sweep: Sweep
    """Without the methods that failed a preflight check."""
    folder: RunFolder
    data_fingerprint: str
    rungs: list[int]
    """Budgets in examples at which a trial is scored; the last is the full budget."""
    preflight: PreflightResults = field(default_factory=PreflightResults)
    """What the preflight checks found; empty before they ran."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Examples of each split."""

    def assignment(self, record: Record) -> Assignment:
        """Build the assignment of a record; a trial that has begun finds its own checkpoint."""
        sweep, on_test = self.sweep, record.split == "test"
        samples = sweep.final.test_samples if on_test else sweep.search.validation_samples
        is_baseline = record.origin == "baseline"
        return Assignment(
            trial=record.id,
            task=sweep.task,
            data_seed=sweep.seed,
            data_fingerprint=self.data_fingerprint,
            tokens=str(self.folder.tokens),
            method=None if is_baseline else sweep.base_of(record.method),
            hyperparameters=record.hyperparameters,
            seed=record.seed,
            rungs=[0] if is_baseline else self.rungs,
            rungs_told=len(record.rungs),
            split=record.split,
            evaluation_limit=None if samples == "all" else samples,
            evaluate_at_end_only=on_test,
            checkpoints=str(self.folder.checkpoints(record)),
            output=str(self.folder.output(record)) if on_test else None,
            cpus=sweep.resources.cpus_per_trial,
            micro_batch=self.preflight.micro_batch(record.method),
        )
