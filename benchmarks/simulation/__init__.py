"""Searches simulated on oracles of learning curves: seconds instead of hours, and the same decisions.

An oracle says of any point of a space what it comes to at every rung. Surrogates in place of training:
Eggensperger et al., 2015; Pfisterer et al., 2022, arXiv 2109.03670.
"""

from benchmarks.simulation.clock import Search, Told, simulate
from benchmarks.simulation.crossing import crossing
from benchmarks.simulation.curves import Curve, Curves, MethodCurves, read, write
from benchmarks.simulation.fitted import fitted
from benchmarks.simulation.lcbench import lcbench
from benchmarks.simulation.oracles import Oracle
from benchmarks.simulation.recorded import recorded
from benchmarks.simulation.sweep import SimulatedSweep
from benchmarks.simulation.tabular import Recorded, tabular

__all__ = [
    "Curve",
    "Curves",
    "MethodCurves",
    "Oracle",
    "Recorded",
    "Search",
    "SimulatedSweep",
    "Told",
    "crossing",
    "fitted",
    "lcbench",
    "read",
    "recorded",
    "simulate",
    "tabular",
    "write",
]
