"""The Ray cluster that a sweep runs on: this machine, or one that is running already."""

import logging
import os
import signal
import socket
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


ANSWER_SECONDS = 10
"""A cluster that does not accept a connection for so long is not there."""


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
    # Left to itself, Ray would join whatever `ray start` has left on this machine.
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    own: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
    try:
        _check_answers(address)
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **own)
    except (OSError, ValueError) as error:
        raise InputError(f"--address {address}: no Ray cluster answers there ({error}).") from error
    # Ray takes over SIGTERM when it starts, and dies of it without a word.
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Knock: where nobody is, Ray itself would go on trying for many minutes."""
    if address in ("local", "auto"):
        return
    if "://" in address:  # Ray Client: Tune would run elsewhere, out of reach of the ledger
        raise ValueError("run tuneoff on a machine of the cluster, with --address auto or HOST:PORT")
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()


def _interrupt(number: int, frame: object) -> None:
    """End the sweep as Ctrl-C does; the argument is the exit code that a shell expects of the signal."""
    raise KeyboardInterrupt(128 + number)


def slots(resources: Resources) -> Slots:
    """What the connected cluster offers to trials.

    Raises:
        InputError: a trial asks for more than any machine of it has.
    """
    return slots_on([node["Resources"] for node in ray.nodes() if node["Alive"]], resources)


def slots_on(machines: list[dict[str, float]], resources: Resources) -> Slots:
    """What machines with these `CPU` and `GPU` offer; a trial does not spread over two of them."""
    cpus = max((int(machine.get("CPU", 0)) for machine in machines), default=0)
    gpus = max((machine.get("GPU", 0.0) for machine in machines), default=0.0)
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
    most = sum(_trials_on(machine, resources.cpus_per_trial, wanted) for machine in machines)
    if not most:
        raise InputError("resources: no machine here has both the CPUs and the GPUs that a trial asks for.")
    concurrent = resources.concurrent_trials
    return Slots(resources.cpus_per_trial, wanted, most if concurrent == "auto" else min(concurrent, most))


def _trials_on(machine: dict[str, float], cpus: int, gpus: float) -> int:
    by_cpus = int(machine.get("CPU", 0)) // cpus
    if not gpus:
        return by_cpus
    have = machine.get("GPU", 0.0)
    # A part of a GPU lies on one GPU: three tenths fit three times on each.
    by_gpus = int(have / gpus) if gpus >= 1 else int(have) * int(1 / gpus)
    return min(by_cpus, by_gpus)
