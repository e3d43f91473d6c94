"""What each method's final cost, on every axis that a choice may turn on; less is better on all."""

import pandas as pd

from search.results import BASELINE, Results

AXES = {
    "trainable_parameters": "trainable parameters",
    "train_seconds": "training time",
    "train_flops": "training operations",
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
    finals = results.finals[results.finals["status"] == "completed"]
    runs = {str(method): runs for method, runs in finals.groupby("method") if method != BASELINE}
    return {m: _of_runs(r) | _of_search(results.search_device_seconds.get(m)) for m, r in runs.items()}


def _of_runs(runs: pd.DataFrame) -> dict[str, float]:
    known = [axis for axis in AXES if axis in runs]
    spent = {axis: runs[axis].max() if axis.endswith(_MOST) else runs[axis].mean() for axis in known}
    return {axis: float(value) for axis, value in spent.items() if pd.notna(value)}


def _of_search(device_seconds: float | None) -> dict[str, float]:
    return {"search_seconds": device_seconds} if device_seconds else {}
