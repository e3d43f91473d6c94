"""The runs of the final that count, and what each method's come to over its seeds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trainables.cost.declared import COST_FIGURES
from trainables.status import Status


def counting(runs: pd.DataFrame) -> pd.DataFrame:
    """Select the runs that have ended with a finite score, from a table such as `Results.finals`."""
    return runs[(runs["status"] == Status.COMPLETED) & np.isfinite(runs["score"])]


def over_seeds(runs: pd.DataFrame, scores: Sequence[str] = ()) -> pd.DataFrame:
    """Aggregate the runs that count: a row a method, all of whose seeds weigh the same.

    Args:
        runs: a table such as `Results.finals`.
        scores: names of scores, columns of `runs`.

    Returns:
        `<score>_mean` and `<score>_sd`, the mean and the sample standard deviation, in points; each declared
        cost figure under its name; `seeds`, how many runs count. What is not known is NaN.
    """
    columns = dict.fromkeys([*runs, *scores, *COST_FIGURES])
    done = counting(runs).reindex(columns=list(columns)).groupby("method")
    table = done.agg({name: figure.over_seeds for name, figure in COST_FIGURES.items()})
    for name in scores:
        table[f"{name}_mean"] = done[name].mean()
        table[f"{name}_sd"] = done[name].std(ddof=1)
    return table.assign(seeds=done.size())
