"""Searches simulated on recorded learning curves: seconds instead of hours, and the same decisions.

A finished sweep is a table: so many points of each method's space, and what each came to at every rung for
how many device seconds. A search that proposes a point gets the nearest one of the table that it has not had
yet. Tables in place of training: Klein & Hutter, arXiv 1905.04970; HPOBench, arXiv 2109.06716.
"""

from benchmarks.simulation.clock import Search, Told, simulate
from benchmarks.simulation.curves import Curve, Curves, MethodCurves, read, write
from benchmarks.simulation.nearest import Tabular, nearest
from benchmarks.simulation.recorded import recorded
from benchmarks.simulation.sweep import SimulatedSweep

__all__ = [
    "Curve",
    "Curves",
    "MethodCurves",
    "Search",
    "SimulatedSweep",
    "Tabular",
    "Told",
    "nearest",
    "read",
    "recorded",
    "simulate",
    "write",
]
