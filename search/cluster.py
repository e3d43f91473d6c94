"""The Ray cluster that a sweep runs on: this machine, or one that is running already."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray

from search.settings import Resources
from trainables.errors import InputError

QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # Tune's own state is never read: the ledger is the truth
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    # One actor killed by Ray's memory monitor would end the whole experiment, whatever `max_failures` says.
    "RAY_memory_monitor_refresh_ms": "0",
}
"""Settings of the driver and of the workers it starts, where the user has not set them."""


@dataclass(frozen=True)
class Slots:
    """What each trial is given, and how many run at a time."""

    cpus: int
    gpus: float
    concurrent: int


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Ray for the length of the block: started on this machine, or joined at `address`."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        own: dict[str, Any] = {"include_dashboard": False} if address is None else {}
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **own)
    except ConnectionError as error:
        raise InputError(f"--address {address}: no Ray cluster answers there ({error}).") from error
    # Ray takes over SIGTERM when it starts, and dies of it without a word.
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
        ray.shutdown()


def _interrupt(number: int, frame: object) -> None:
    """End the sweep as Ctrl-C does; the argument is the exit code that a shell expects of the signal."""
    raise KeyboardInterrupt(128 + number)


def slots(resources: Resources) -> Slots:
    """What the connected cluster offers to trials.

    Raises:
        InputError: a trial asks for more than the whole cluster has.
    """
    have = ray.cluster_resources()
    cpus, gpus = int(have.get("CPU", 0)), have.get("GPU", 0.0)
    wanted = resources.gpus_per_trial
    if wanted == "auto":
        wanted = 1.0 if gpus else 0.0
    if wanted > gpus:
        raise InputError(
            f"resources.gpus_per_trial: a trial asks for {wanted:g} GPUs, but there are {gpus:g} here. "
            "Use auto or 0 to train on the CPU, or --address to use a cluster."
        )
    if resources.cpus_per_trial > cpus:
        raise InputError(
            f"resources.cpus_per_trial: a trial asks for {resources.cpus_per_trial} CPUs, there are {cpus}."
        )
    most = cpus // resources.cpus_per_trial
    if wanted:
        most = min(most, int(gpus / wanted))
    concurrent = resources.concurrent_trials
    return Slots(resources.cpus_per_trial, wanted, most if concurrent == "auto" else min(concurrent, most))
