"""Examine a machine, or the nodes of a cluster: could a sweep run there, and what to do where not."""

from search.doctor.examine import examine_machine, examine_nodes
from search.doctor.finding import Finding, could_run

__all__ = ["Finding", "could_run", "examine_machine", "examine_nodes"]
