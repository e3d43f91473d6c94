"""Which hyperparameters decided a method's search: PED-ANOVA over its trials (arXiv 2304.10255)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.config import Sweep
from search.records import Record

if TYPE_CHECKING:
    import optuna

_TOP = 1 / 3
"""The share of the trials that count as good: with the usual tenth, twenty trials would have two."""
ENOUGH_TRIALS = 30
"""Of LoRA's nine hyperparameters the one that matters comes first in 9 of 10 searches with so many random
trials, in 7 of 10 with half as many (planted: a log-scaled optimum, noise a sixth of the range)."""
_FEWEST_TRIALS = 4


@dataclass(frozen=True)
class Importance:
    """Share of each hyperparameter in deciding whether a trial is among the best third."""

    shares: dict[str, float]
    """Hyperparameter to its share, the highest first; they add up to 1. Empty where nothing can be said."""
    trials: int
    """The trials it was computed from: completed, stopped early, or diverged."""

    @property
    def too_few(self) -> bool:
        """Whether there are so few trials that the shares may be shown only with a warning."""
        return self.trials < ENOUGH_TRIALS


def importance(sweep: Sweep, method: str, records: Sequence[Record]) -> Importance:
    """Compute the importance of a method's hyperparameters from the records of its search.

    PED-ANOVA only asks which trials are among the best. A stopped trial is known not to be, though its
    score at the full budget is not known: trials are ranked by the rung they reached, then by their score.
    Left out, the stopped ones would leave only trials that are much alike.
    """
    ranked = _ranked(records)
    if len(ranked) < _FEWEST_TRIALS:
        return Importance({}, len(ranked))
    study = _study(sweep, method, ranked)
    count = len(study.get_trials(deepcopy=False))
    return Importance(_shares(study) if count >= _FEWEST_TRIALS else {}, count)


def _ranked(records: Sequence[Record]) -> list[Record]:
    """Sort trials from worst to best: diverged ones first, then by the rung they reached, then by score."""
    informative = [r for r in records if r.status.facts.tells_quality]
    return sorted(informative, key=_rank)


def _rank(record: Record) -> tuple[bool, int, float]:
    return record.score is not None, len(record.rungs), record.score or 0.0


def _study(sweep: Sweep, method: str, ranked: Sequence[Record]) -> "optuna.Study":
    """Build a study whose values are the trials' ranks: scores of different rungs cannot be compared."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    searched = sweep.spaces()[method].distributions.items()
    known = {name: d for name, d in searched if all(name in r.hyperparameters for r in ranked)}
    params = [{name: record.hyperparameters[name] for name in known} for record in ranked]
    study = optuna.create_study(direction="maximize")
    for rank, values in enumerate(params):
        # A space may have been narrowed since: what lies outside says nothing about what is inside.
        with suppress(ValueError):
            study.add_trial(optuna.trial.create_trial(value=rank, params=values, distributions=known))
    return study


def _shares(study: "optuna.Study") -> dict[str, float]:
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    # Against the whole space, not against what TPE chose to try: its choices follow the good trials.
    evaluator = PedAnovaImportanceEvaluator(target_quantile=_TOP, evaluate_on_local=False)
    shares = get_param_importances(study, evaluator=evaluator)
    return dict(sorted(shares.items(), key=lambda item: -item[1]))
