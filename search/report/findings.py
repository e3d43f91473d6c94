"""What the numbers say, in a sentence or two."""

import pandas as pd

from search.report import tables
from search.report.markdown import code, listed, points
from search.report.names import metric_name
from search.results import BASELINE, Results, winner


def finding(results: Results) -> str:
    """The best method on the test split, its lead, and whether the seeds tell it from the others."""
    table = tables.methods(results).dropna(subset=[f"{results.sweep.task.metric}_mean"])
    trained = table.drop(index=BASELINE, errors="ignore")
    if trained.empty:
        return _so_far(results)
    apart = _apart(_spans(results).loc[trained.index])
    return f"{_best(results, table, trained)} {apart} Significance is not tested in this report."


def _best(results: Results, table: pd.DataFrame, trained: pd.DataFrame) -> str:
    metric = results.sweep.task.metric
    best = trained.iloc[0]
    score, spread, seeds = best[f"{metric}_mean"], best[f"{metric}_sd"], int(best["seeds"])
    over = f"± {points(spread)} over {seeds} seeds" if seeds > 1 else "with one seed"
    measured = f"{metric_name(results)} {points(score)} {over}, {_lead(table[f'{metric}_mean'], score)}"
    return f"**{code(trained.index[0])} scores highest on test: {measured}.**"


def _lead(means: pd.Series, score: float) -> str:
    if BASELINE not in means.index:
        return "the untrained model was not scored"
    gain = score - means[BASELINE]
    side = "above" if gain >= 0 else "below"
    return f"{points(abs(gain))} points {side} the untrained model ({points(means[BASELINE])})"


def _apart(spans: pd.DataFrame) -> str:
    """Whether the best method's seeds lie apart from the others': all that a few seeds can say."""
    if len(spans) == 1:
        return "No other method has been scored."
    if (spans["count"] == 1).all():
        return "With one seed a method, how much the seed alone moves a score is not known."
    near = [f"{code(method)} ({_span(spans.loc[method])})" for method in _overlapping(spans)]
    best = f"{code(spans.index[0])} ({_span(spans.iloc[0])})"
    if not near:
        return f"No other method's seeds reach the range of {best}."
    return f"The seeds of {listed(near)} overlap with those of {best}: these runs do not tell them apart."


def _overlapping(spans: pd.DataFrame) -> list[str]:
    """The methods of which a seed did at least as well as the best method's worst seed."""
    others = spans.iloc[1:]
    return [str(method) for method in others.index[others["max"] >= spans["min"].iloc[0]]]


def _span(row: pd.Series) -> str:
    low, high = points(row["min"]), points(row["max"])
    return f"{low} to {high}" if row["count"] > 1 else f"{low}, one seed"


def _spans(results: Results) -> pd.DataFrame:
    scores = tables.completed(results).groupby("method")[results.sweep.task.metric]
    return scores.agg(["min", "max", "count"])


def _so_far(results: Results) -> str:
    winners = [best for method in results.methods if (best := winner(results.qualifying(method)))]
    if not winners:
        return "**Nothing can be said yet:** no trial has been completed."
    best = max(winners, key=lambda record: record.score or 0.0)
    return (
        "**No method has been scored on test yet.** On validation the best trial so far is "
        f"{code(best.id)} with {metric_name(results)} {points(best.score)}; but validation scores are there "
        "to choose a method's hyperparameters, not to compare methods."
    )
