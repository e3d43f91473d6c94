"""The Ray cluster: connect, compare nodes, place trials, name what failed."""

from search.cluster.asking import ask_each, version_differences
from search.cluster.connection import Cluster, check_resources, connected
from search.cluster.failures import (
    DEVICE_FAILURES,
    RETRIES,
    FailureKind,
    SweepFailed,
    disk_is_full,
    failure_kind,
    left_no_space,
    memory_message,
    no_space,
    node_is_lost,
)
from search.cluster.interruption import interruptible
from search.cluster.joining import request
from search.cluster.placement import Slots, packed, unpacked
from search.cluster.remote import check_sweep, examine_cluster, resume_sweep, run_sweep
from search.cluster.watch import PERIOD_SECONDS

__all__ = [
    "DEVICE_FAILURES",
    "PERIOD_SECONDS",
    "RETRIES",
    "Cluster",
    "FailureKind",
    "Slots",
    "SweepFailed",
    "ask_each",
    "check_resources",
    "check_sweep",
    "connected",
    "disk_is_full",
    "examine_cluster",
    "failure_kind",
    "interruptible",
    "left_no_space",
    "memory_message",
    "no_space",
    "node_is_lost",
    "packed",
    "request",
    "resume_sweep",
    "run_sweep",
    "unpacked",
    "version_differences",
]
