"""Estimate a sweep's duration and disk use from what the preflight checks measured.

Assumes that scores are random, which decides how many trials are stopped (ASHA: they rank the same at every
rung; promotion: losses rank otherwise than scores); that
training and evaluation take what the method's probe took at its default; and that workers are never idle.
Checkpoints are those of the largest point of each method's space; records and predictions are small beside
them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from search.config import Sweep, promoted
from search.records import PreflightResults, most_trials
from search.schedulers import Rungs
from trainables.amounts import rough_duration, size
from trainables.preflight.findings import Check, Findings

SEARCHES = 200
"""Searches simulated to count the trials that are stopped early."""
_FEW_TRIALS = 16
"""Trials from which the cost of one is estimated, where the budget is in seconds instead."""
CHECKPOINT_COPIES = 3
"""Copies of the weights in a checkpoint: themselves and both moments of AdamW."""


@dataclass(frozen=True)
class Forecast:
    """The estimate for a whole sweep."""

    seconds: float
    disk_bytes: int
    """Largest size of the run folder at any time."""
    written_bytes: int
    """All that is written, replaced checkpoints included."""


def arrivals(trials: int, rungs: int, factor: int) -> list[float]:
    """Estimate how many of a method's trials reach each rung: the mean over searches with random scores.

    Decided by the scheduler's own rule, one trial after the other; the first is never stopped.
    """
    reached = [0] * rungs
    for search in range(SEARCHES):
        chance, asha = Random(search), Rungs(factor)
        for trial in range(trials):
            score = chance.random()
            for rung in range(rungs):
                reached[rung] += 1
                if asha.decide(str(trial), rung, score) and trial > 0:
                    break
    return [count / SEARCHES for count in reached]


def forecast(
    sweep: Sweep, preflight: PreflightResults, rungs: list[int], counts: Mapping[str, int], concurrent: int
) -> Forecast:
    """Estimate the sweep of the admitted methods; `counts` are the examples of each split."""
    parts = [_Part(sweep, name, preflight.methods[name], rungs, counts) for name in sweep.methods]
    seeds = sweep.final.seeds * (1 + sweep.final.retrain_defaults)
    finals = [part.final_seconds for part in parts] * seeds
    audits = sum(part.audits * part.trial_seconds for part in parts)
    baseline = max(part.test_seconds for part in parts)
    phases = (
        _wall(
            sum(part.search_seconds for part in parts), max(part.trial_seconds for part in parts), concurrent
        ),
        _wall(sum(finals) + audits + baseline, max(finals), concurrent),
    )
    # A trial keeps two; a new one is written before the oldest goes.
    live = 3 * concurrent * max(part.checkpoint_bytes for part in parts)
    kept = sum(part.kept_checkpoints * part.checkpoint_bytes + seeds * part.export_bytes for part in parts)
    written = sum(part.written_bytes + seeds * part.final_written_bytes for part in parts)
    startup = (preflight.startup_seconds or 0.0) * len(phases)
    return Forecast(startup + sum(phases), round(live + kept), round(written))


def disk_and_time(sweep: Sweep, expected: Forecast, free_bytes: int | None, concurrent: int) -> Check:
    """Check the whole sweep: fail if the disk would fill. `free_bytes` is None where no disk can fill."""
    budget = sweep.search.budget
    searched = (
        f"{sweep.search.trials_per_method} trials"
        if budget is None
        else f"{rough_duration(budget.device_seconds_per_method)} of search"
    )
    summary = (
        f"about {rough_duration(expected.seconds)}, {size(expected.disk_bytes)}: {len(sweep.methods)} "
        f"methods, {searched} and {sweep.final.seeds} finals each, {concurrent} at a time, stopped as random "
        "trials would be, speed as measured at the defaults"
    )
    figures = {
        "expected_seconds": expected.seconds,
        "disk_bytes": expected.disk_bytes,
        "written_bytes": expected.written_bytes,
        "free_bytes": free_bytes,
    }
    if free_bytes is not None and expected.disk_bytes > free_bytes:
        problem = f"{summary}. Only {size(free_bytes)} are free"
        remedy = "set `storage` to a larger disk, or lower final.seeds or resources.concurrent_trials"
        return Check(name="disk and time", verdict="fail", message=f"{problem}: {remedy}.", figures=figures)
    return Check(name="disk and time", verdict="pass", message=summary, figures=figures)


class _Part:
    """One method's share of the forecast."""

    def __init__(
        self, sweep: Sweep, method: str, findings: Findings, rungs: list[int], counts: Mapping[str, int]
    ) -> None:
        speed, memory, search = findings.figures("speed"), findings.figures("memory"), sweep.search
        train_second = 1 / speed["train_examples_per_second"]
        score_second = 1 / speed["evaluated_examples_per_second"]
        scored = _limited(search.validation_samples, counts["validation"])
        steps = [after - before for before, after in zip([0, *rungs], rungs, strict=False)]
        each = [step * train_second + scored * score_second for step in steps]
        trials, self.search_seconds, reached = _search(sweep, method, each)
        self.trial_seconds = sum(each)
        self.audits = min(search.audit, trials - reached[-1])
        paused = reached[min(1, len(reached) - 1)] if search.scheduler == "promote" else 0
        self.kept_checkpoints = 2 * (1 + self.audits + paused)
        self.test_seconds = _limited(sweep.final.test_samples, counts["test"]) * score_second
        self.final_seconds = rungs[-1] * train_second + self.test_seconds
        self.checkpoint_bytes = CHECKPOINT_COPIES * memory["trained_bytes"]
        grown = memory["trained_bytes"] - speed["trained_bytes"]  # from the default to the largest
        self.export_bytes = findings.figures("reload")["export_bytes"] + max(0, grown)
        self.written_bytes = sum(reached) * self.checkpoint_bytes
        self.final_written_bytes = len(rungs) * self.checkpoint_bytes + self.export_bytes


def _search(sweep: Sweep, method: str, each: Sequence[float]) -> tuple[int, float, list[float]]:
    """Return a method's trials, their total seconds, how many reach each rung; `each`: seconds a rung."""
    budget, factor = sweep.search.budget, sweep.search.reduction_factor
    trials = most_trials(sweep, method) or _FEW_TRIALS
    if sweep.search.scheduler == "promote":
        reached = promoted(sweep.search, trials, len(each))
    else:
        reached = arrivals(trials, len(each), factor)
    seconds = sum(count * part for count, part in zip(reached, each, strict=True))
    if budget is None:
        return trials, seconds, reached
    scale = budget.device_seconds_per_method / seconds
    return round(trials * scale), budget.device_seconds_per_method, [count * scale for count in reached]


def _limited(samples: int | str, count: int) -> int:
    return count if isinstance(samples, str) else min(samples, count)


def _wall(total_seconds: float, longest_seconds: float, concurrent: int) -> float:
    """Estimate the seconds on the clock: runs are shared out evenly, but none is split."""
    return max(total_seconds / concurrent, longest_seconds)
