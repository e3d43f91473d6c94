"""The Ray cluster that a sweep runs on: this machine, or one that is running already."""

import json
import logging
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

import ray
from ray._private import ray_constants
from ray.autoscaler.sdk import request_resources

from search.cluster import nodes
from search.cluster.failures import SweepFailed, blind_node, no_gpu_is_left
from search.cluster.joining import Newcomers, exclude, forget_unfit, is_fit
from search.cluster.placement import Machine, Slots, asked_for, held, slots_on
from search.cluster.preloading import environment
from search.cluster.ray_token import guard_token, own_token
from search.cluster.watch import PERIOD_SECONDS, Watch
from search.config import Resources
from trainables.amounts import rough_duration
from trainables.errors import InputError
from trainables.storage.place import Place

QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # Tune's own state is never read: the trial store is the truth
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    # One actor killed by Ray's memory monitor would end the whole experiment, whatever `max_failures` says.
    "RAY_memory_monitor_refresh_ms": "0",
}
"""Settings of the driver and of the workers it starts, where the user has not set them."""
FORWARDED = (
    "HF_TOKEN", "HF_ENDPOINT",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
    "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
)  # fmt: skip
"""What workers of a joined cluster are given of the driver's environment, where theirs does not say it."""
QUIETLY: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
BLIND_TRIALS = 3
"""How many trials may find their GPU gone before its node is given no more."""
ANSWER_SECONDS = 10
"""A cluster that does not accept a connection for so long is not there."""
AWAIT_SECONDS = 15 * 60
"""How long an autoscaler may take to start the first worker."""
JOB_CONFIG = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""Where `ray job submit` leaves the runtime environment of the job."""

logger = logging.getLogger(__name__)


@dataclass
class Cluster:
    """The cluster that this process is connected to."""

    is_joined: bool
    """Others started it, and its workers have an environment of their own."""
    watch: Watch
    joined: Newcomers | None = None
    """Who watches for nodes that join, once those that were there are known."""
    uses_gpus: bool = False
    """Whether trials are given GPUs, once their slots are known."""
    gpu_bytes: int | None = None
    """Memory of the smallest GPU that trials may be given, once it is known."""
    blind_trials: Counter[str] = field(default_factory=Counter)
    """Trials that saw no GPU, by the id of the node they were on."""

    def machines(self) -> list[Machine]:
        """The resources of each node that is alive and not known to be unable to train."""
        return [node["Resources"] for node in self.watch.nodes() if node["Alive"] and is_fit(node)]

    def slots(self, resources: Resources) -> Slots:
        """What the cluster offers to trials as it is now; of one without workers, when the first has come.

        Raises:
            InputError: a trial asks for more than any machine has, or for a GPU that torch does not see.
        """
        if self.is_joined and not self._has_workers():
            self._await_worker(asked_for(resources))
        slots = slots_on(self.machines(), resources)
        self.uses_gpus = slots.gpus > 0
        if self.uses_gpus:
            self.gpu_bytes = nodes.check_gpus(
                node for node in nodes.able(self.watch.nodes()) if held([node["Resources"]], slots)
            )
        return slots

    def _has_workers(self) -> bool:
        return any(machine.get("CPU") for machine in self.machines())

    def _await_worker(self, bundle: dict[str, float]) -> None:
        logger.warning("No node has CPUs for trials yet: waiting %s for one.", rough_duration(AWAIT_SECONDS))
        request_resources(bundles=[bundle])
        try:
            end = time.monotonic() + AWAIT_SECONDS
            while not self._has_workers() and time.monotonic() < end:
                time.sleep(PERIOD_SECONDS)
        finally:
            request_resources(bundles=[])  # what is asked for so is kept, idle or not

    def room(self, slots: Slots, resources: Resources) -> Callable[[], int]:
        """Asked again and again: how many such trials may run now, one at least.

        A number that the sweep names holds on a joined cluster whatever is there: trials that wait are what
        Ray's autoscaler starts machines for.
        """
        wanted = resources.concurrent_trials

        def count() -> int:
            if self.joined is not None:
                self.joined.look()
            if wanted != "auto" and self.is_joined:
                return wanted
            most = float("inf") if wanted == "auto" else wanted
            return int(max(1, min(most, held(self.machines(), slots))))

        return count

    def lose_gpu(self, error: str, slots: Slots) -> SweepFailed | None:
        """Count a trial whose GPU was gone; return the error to raise where no other GPU is left.

        Each costs a preemption, so a node with BLIND_TRIALS of them is given no more trials.
        """
        found = blind_node(error)
        if found is None:
            return None
        why, node = found
        self.blind_trials[node] += 1
        if self.blind_trials[node] == BLIND_TRIALS:
            logger.warning("The node %s is given no more trials: %s", node[:8], why)
            exclude(node)
        return None if held(self.machines(), slots) else no_gpu_is_left(why)

    def environment(self) -> dict[str, str]:
        """What workers are handed that did not inherit it: credentials, which no record and no log holds."""
        return {name: os.environ[name] for name in FORWARDED if self.is_joined and name in os.environ}

    def check(self, root: Place, tell: Callable[[str], None]) -> list[str]:
        """What differs between the driver's versions and the nodes'; `tell` hears of those that join later.

        Raises:
            InputError: a node cannot train, or does not see the run folder.
        """
        if not self.is_joined:
            return []
        self.joined = Newcomers(
            tell,
            present=lambda: nodes.able(self.watch.nodes()),
            ask=partial(nodes.ask, uses_gpus=self.uses_gpus),
            gpu_bytes=self.gpu_bytes,
        )
        differences = nodes.check_versions(nodes.facts(), nodes.here())
        nodes.check_storage(root, self.environment())
        return differences


@contextmanager
def connected(
    address: str | None, *, workers: Mapping[str, str] = MappingProxyType({}), farewell: str = ""
) -> Iterator[Cluster]:
    """Ray for the length of the block: started on this machine, or joined at `address`.

    A cluster whose nodes have not exactly this code is sent it (`py_modules`).

    Args:
        address: HOST:PORT or auto; None: what `RAY_ADDRESS` says, else this machine.
        workers: the environment of the workers, besides this process's own, where they are started here.
        farewell: what this process says last where it has to be ended because Ray was lost and hangs.

    Raises:
        InputError: no cluster answers at `address`.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    # Left to itself, Ray would join whatever `ray start` has left on this machine.
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    is_joined = address != "local"
    # Ray takes over SIGTERM when it starts, and dies of it without a word.
    handler = signal.getsignal(signal.SIGTERM)
    with nullcontext() if is_joined else own_token():
        if is_joined:
            _join(address)
        else:
            _start_here(workers)
        signal.signal(signal.SIGTERM, _interrupt if handler in (signal.SIG_DFL, None) else handler)
        forget_unfit()
        watch = Watch(ray.get_runtime_context().get_node_id(), farewell)
        try:
            yield Cluster(is_joined, watch)
        finally:
            ray.shutdown()
            watch.end()
            signal.signal(signal.SIGTERM, handler or signal.SIG_DFL)


def _start_here(workers: Mapping[str, str]) -> None:
    try:
        with _on_loopback(), environment(workers):
            ray.init(address="local", include_dashboard=False, **QUIETLY)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"Ray cannot be started on this machine ({error}).") from error


def _join(address: str) -> None:
    guard_token()
    _connect(address)
    if not _job_sends_code() and nodes.lack_code(nodes.facts()):
        ray.shutdown()
        _connect(address, runtime_env=own_code())


def _connect(address: str, **options: Any) -> None:
    try:
        check_answers(address)
        ray.init(address, **QUIETLY, **options)
    except (OSError, ValueError, RuntimeError) as error:  # a RuntimeError: another version of Ray or Python
        raise InputError(f"--address {address}: no Ray cluster answers there ({error}).") from error


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Ray for this machine only: none of its ports is open to others.

    What Ray does by itself on macOS and Windows; on Linux its setting is read when Ray is imported, which is
    before it is known whether a cluster will be joined.
    """
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def own_code() -> dict[str, Any]:
    """The runtime environment that brings workers this very code."""
    # Where the code was sent itself, each package lies in a folder of its own.
    specs = [find_spec(package) for package in nodes.CODE]
    folders = [folder for spec in specs if spec for folder in spec.submodule_search_locations or ()]
    return {"py_modules": folders, "excludes": ["__pycache__"]}


def _job_sends_code() -> bool:
    """Whether `ray job submit` has said which code the workers run, which a driver may not say again."""
    job = json.loads(os.environ.get(JOB_CONFIG, "{}"))
    return "py_modules" in job.get("runtime_env", {})


def check_answers(address: str) -> None:
    """Knock at HOST:PORT: where nobody is, Ray itself would go on trying for many minutes.

    Raises:
        OSError: nobody answers.
        ValueError: it is no such address.
    """
    if address in ("local", "auto"):
        return
    if "://" in address:  # Tune would run elsewhere, out of reach of the trial store
        raise ValueError(
            "a call from Python joins at auto or HOST:PORT, on a machine of the cluster; from outside the "
            "command line goes there as a whole: `tuneoff run SWEEP --address http://HOST:8265`"
        )
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()


def _interrupt(number: int, frame: object) -> None:
    """End the sweep as Ctrl-C does; the argument is the exit code that a shell expects of the signal."""
    raise KeyboardInterrupt(128 + number)
