"""What each method's final cost, on every axis that a choice may turn on; less is better on all."""

import pandas as pd

from search.records import BASELINE, Results
from trainables.status import Status

AXES = {
    "trainable_parameters": "trainable parameters",
    "train_seconds": "training time",
    "train_flops": "training FLOPs",
    "energy_joules": "energy",
    "peak_memory_bytes": "peak memory",
    "adapter_bytes": "size on disk",
    "generation_seconds_per_example": "generation time",
    "search_seconds": "device time of the search",
}
"""Costs as records name them, and in words."""

_MOST = ("_parameters", "_bytes")


def costs(results: Results) -> dict[str, dict[str, float]]:
    """Method to cost axis to its mean over the seeds, or their maximum for bytes and parameters.

    The device seconds of a method's whole search are the axis `search_seconds`. The baseline trains
    nothing and has no costs. What was not measured is left out.
    """
    spent = costs_of_runs(results.finals[results.finals["method"] != BASELINE])
    return {m: cost | _of_search(results.search_device_seconds.get(m)) for m, cost in spent.items()}


def costs_of_runs(runs: pd.DataFrame) -> dict[str, dict[str, float]]:
    """As `costs`, of a table such as `Results.finals`, without the search."""
    ended = runs[runs["status"] == Status.COMPLETED]
    return {str(method): _of_runs(runs) for method, runs in ended.groupby("method")}


def _of_runs(runs: pd.DataFrame) -> dict[str, float]:
    known = [axis for axis in AXES if axis in runs]
    spent = {axis: runs[axis].max() if axis.endswith(_MOST) else runs[axis].mean() for axis in known}
    return {axis: float(value) for axis, value in spent.items() if pd.notna(value)}


def _of_search(device_seconds: float | None) -> dict[str, float]:
    return {"search_seconds": device_seconds} if device_seconds else {}
