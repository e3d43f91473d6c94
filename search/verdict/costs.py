"""What each method's final cost, on every axis that a choice may turn on; less is better on all."""

import pandas as pd

from search.records import BASELINE, Results
from search.verdict.runs import over_seeds
from trainables.cost import declared


def costs(results: Results) -> dict[str, dict[str, float]]:
    """Map method to cost axis to what the runs of its final come to; what was not measured is left out.

    The device seconds of a method's whole search are the axis `search_seconds`. The baseline trains
    nothing and has no costs.
    """
    spent = costs_of_runs(results.finals[results.finals["method"] != BASELINE])
    return {m: cost | _of_search(results.search_device_seconds.get(m)) for m, cost in spent.items()}


def costs_of_runs(runs: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Map method to cost axis as `costs` does, from a table such as `Results.finals`, without the search."""
    spent = over_seeds(runs)[declared.axes()]
    return {str(method): row.dropna().to_dict() for method, row in spent.iterrows()}


def _of_search(device_seconds: float | None) -> dict[str, float]:
    return {"search_seconds": device_seconds} if device_seconds else {}
