"""The Ray cluster that a sweep runs on: this machine, or one that is running already."""

import logging
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ray
from ray.autoscaler.sdk import request_resources

from search.cluster import nodes
from search.cluster.failures import RayLost, SweepFailed, blind_node, no_gpu_is_left
from search.cluster.joining import JoiningNodes, exclude, forget_unfit, is_fit
from search.cluster.placement import Machine, Slots, asked_for, capacity, slots_on
from search.cluster.ray_folder import keep_logs, own_folder
from search.cluster.ray_token import guard_token, own_token
from search.cluster.watch import PERIOD_SECONDS, Watch
from search.compat import job_runtime_env, machine_resources, start_ray
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
"""Environment variables that the driver hands to the workers of a joined cluster, where they are not set."""
QUIETLY: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
BLIND_TRIALS = 3
"""How many trials may find their GPU gone before its node is given no more."""
ANSWER_SECONDS = 10
"""How long to wait for a connection before a cluster counts as absent."""
AWAIT_SECONDS = 15 * 60
"""How long to wait for an autoscaler to start the first worker."""

logger = logging.getLogger(__name__)


@dataclass
class Cluster:
    """The cluster that this process is connected to."""

    is_joined: bool
    """Whether others started it; its workers then have an environment of their own."""
    watch: Watch
    joined: JoiningNodes | None = None
    """Watches for nodes that join; None until the first nodes have been checked."""
    uses_gpus: bool = False
    """Whether trials get GPUs; set by `slots`."""
    gpus: list[dict[str, Any]] = field(default_factory=list)
    """Those GPUs, as `trainables.accelerator` describes them; set by `slots`."""
    gpu_bytes: int | None = None
    """Memory of the smallest of them; None where no node tells it."""
    blind_trials: Counter[str] = field(default_factory=Counter)
    """Trials that saw no GPU, by the id of the node they were on."""

    def machines(self) -> list[Machine]:
        """List the resources of each live node that is not known to be unable to train."""
        return [node["Resources"] for node in self.watch.nodes() if node["Alive"] and is_fit(node)]

    def slots(self, resources: Resources) -> Slots:
        """Compute what trials get on the cluster as it is now; wait for a worker if there is none.

        Raises:
            InputError: a trial asks for more than any machine has, or for a GPU that torch does not see.
        """
        if self.is_joined and not self._has_workers():
            self._await_worker(asked_for(resources))
        slots = slots_on(self.machines(), resources)
        self.uses_gpus = slots.gpus > 0
        if self.uses_gpus:
            self.gpus, self.gpu_bytes = nodes.check_gpus(
                node for node in nodes.able(self.watch.nodes()) if capacity([node["Resources"]], slots)
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
            request_resources(bundles=[])  # such a request keeps machines, idle or not

    def room(self, slots: Slots, resources: Resources) -> Callable[[], int]:
        """Return a function that counts how many such trials may run now, at least one.

        On a joined cluster the machines do not limit a number that the sweep names: trials that wait make
        Ray's autoscaler start more.
        """
        wanted = resources.concurrent_trials

        def count() -> int:
            if self.joined is not None:
                self.joined.look()
            if wanted != "auto" and self.is_joined:
                return wanted
            most = float("inf") if wanted == "auto" else wanted
            return int(max(1, min(most, capacity(self.machines(), slots))))

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
        return None if capacity(self.machines(), slots) else no_gpu_is_left(why)

    def environment(self) -> dict[str, str]:
        """Collect the credentials for workers that did not inherit them; no record or log holds them."""
        return {name: os.environ[name] for name in FORWARDED if self.is_joined and name in os.environ}

    def check(self, root: Place, report: Callable[[str], None]) -> list[str]:
        """List how nodes' versions differ from the driver's; `report` gets those of nodes that join later.

        Raises:
            InputError: a node cannot train, or does not see the run folder.
        """
        if not self.is_joined:
            return []
        self.joined = JoiningNodes(
            report,
            present=lambda: nodes.able(self.watch.nodes()),
            ask=partial(nodes.ask, uses_gpus=self.uses_gpus),
            gpu_bytes=self.gpu_bytes,
        )
        differences = nodes.check_versions(nodes.facts(), nodes.here())
        nodes.check_storage(root, self.environment())
        return differences


def check_resources(resources: Resources, address: str | None) -> None:
    """Compare what a trial asks for with this machine, before Ray takes its time to start here.

    Raises:
        InputError: there is not so much here; of a cluster that will be joined nothing is known yet.
    """
    is_here = (address or os.environ.get("RAY_ADDRESS") or "local") == "local"
    if is_here and resources.accelerator_type is None:  # by which a node is known only once Ray has started
        slots_on([machine_resources()], resources)


@contextmanager
def connected(address: str | None, *, farewell: str = "") -> Iterator[Cluster]:
    """Run Ray for the length of the block: start it on this machine, or join it at `address`.

    A joined cluster whose nodes do not have exactly this code is sent it (`py_modules`).

    Args:
        address: HOST:PORT or auto; None: `RAY_ADDRESS`, else this machine.
        farewell: last line printed if the process must be killed because Ray is lost and hangs.

    Raises:
        InputError: no cluster answers at `address`.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    # Left to itself, Ray would join whatever `ray start` has left on this machine.
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    is_joined = address != "local"
    # Ray replaces the handler of SIGTERM when it starts, and would exit silently.
    handler = signal.getsignal(signal.SIGTERM)
    with nullcontext() if is_joined else own_token(), own_folder() as folder:
        if is_joined:
            _join(address)
        else:
            _start_here(folder)
        signal.signal(signal.SIGTERM, _interrupt if handler in (signal.SIG_DFL, None) else handler)
        forget_unfit()
        watch = Watch(ray.get_runtime_context().get_node_id(), farewell)
        try:
            yield Cluster(is_joined, watch)
        except RayLost:
            keep_logs(folder)
            raise
        finally:
            ray.shutdown()
            watch.end()
            signal.signal(signal.SIGTERM, handler or signal.SIG_DFL)


def _start_here(folder: Path | None) -> None:
    try:
        start_ray(None if folder is None else str(folder / "r"), **QUIETLY)  # Ray opens its own to all
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"Ray cannot be started on this machine ({error}).") from error


def _join(address: str) -> None:
    guard_token()
    _connect(address)
    # A driver may not say again what `ray job submit` has said.
    if "py_modules" not in job_runtime_env() and nodes.lack_code(nodes.facts()):
        ray.shutdown()
        _connect(address, runtime_env=own_code())


def _connect(address: str, **options: Any) -> None:
    try:
        check_answers(address)
        ray.init(address, **QUIETLY, **options)
    except (OSError, ValueError, RuntimeError) as error:  # a RuntimeError: another version of Ray or Python
        raise InputError(f"--address {address}: no Ray cluster answers there ({error}).") from error


def own_code() -> dict[str, Any]:
    """Build the runtime environment that sends workers exactly this code."""
    # Where the code was sent itself, each package lies in a folder of its own.
    specs = [find_spec(package) for package in nodes.CODE]
    folders = [folder for spec in specs if spec for folder in spec.submodule_search_locations or ()]
    return {"py_modules": folders, "excludes": ["__pycache__"]}


def check_answers(address: str) -> None:
    """Connect to HOST:PORT once: where nobody listens, Ray itself would retry for many minutes.

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
