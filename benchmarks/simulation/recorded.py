"""From the records of a sweep to curves."""

from collections.abc import Iterable
from statistics import median

from benchmarks.simulation.curves import Curve, Curves, MethodCurves
from search.records.record import Record
from search.records.results import Results
from trainables.errors import InputError
from trainables.status import Status

DIGITS = 4
SECONDS = (
    "Of each method the median seconds of training an example, and of evaluating at a rung, over its trials; "
    "not what each trial took, for other work shared the machine."
)


def recorded(results: Results) -> Curves:
    """The trials of a sweep that were run to the end, those included that an audit ran on, and what diverged.

    Raises:
        InputError: a method has none, or not that of its default configuration.
    """
    rungs = results.provenance["budget"]["rungs"]
    return Curves(
        name=results.sweep.name,
        seconds=SECONDS,
        rungs=rungs,
        reduction_factor=results.sweep.search.reduction_factor,
        methods={method: _method(results, method, len(rungs)) for method in results.sweep.methods},
    )


def _method(results: Results, method: str, rungs: int) -> MethodCurves:
    audits = {run.of_trial: run for run in results.audits(method)}
    trials = [audits.get(trial.id, trial) for trial in results.search(method)]
    whole = [trial for trial in trials if _is_whole(trial, rungs)]
    if not whole or whole[0].number != 0:
        raise InputError(
            f"The default configuration of {method} was not run to the end in {results.folder.root}. Record "
            "curves with a sweep whose `search.audit` is as large as its `trials_per_method`."
        )
    train, evaluate = _rates(whole)
    space = results.sweep.spaces()[method]
    return MethodCurves(
        base=results.sweep.base_of(method),
        space=dict(space.distributions),
        curves=[_curve(trial, list(space.distributions), train, evaluate) for trial in whole],
    )


def _is_whole(trial: Record, rungs: int) -> bool:
    return trial.status is Status.DIVERGED or (trial.status is Status.COMPLETED and len(trial.rungs) == rungs)


def _rates(trials: Iterable[Record]) -> tuple[float, float]:
    """Medians of one method: seconds of training an example, and of evaluating at a rung."""
    ended = [trial for trial in trials if trial.status is Status.COMPLETED]
    last = [(trial.cost, trial.rungs[-1].examples, len(trial.rungs)) for trial in ended]
    train = median((cost["train_seconds"] or 0.0) / examples for cost, examples, _ in last)
    evaluate = median((cost["evaluation_seconds"] or 0.0) / rungs for cost, _, rungs in last)
    return train, evaluate


def _curve(trial: Record, searched: list[str], train: float, evaluate: float) -> Curve:
    """A batch may end past a rung: what counts is what was seen."""
    seconds = [train * rung.examples + evaluate * place for place, rung in enumerate(trial.rungs, start=1)]
    return Curve(
        hyperparameters={name: trial.hyperparameters[name] for name in searched},
        scores=[_rounded(rung.score) for rung in trial.rungs],
        losses=[_rounded(rung.loss) for rung in trial.rungs],
        seconds=[round(second, DIGITS) for second in seconds],
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
