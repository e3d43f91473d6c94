"""What a sweep starts or reaches: Ray on this machine, and the Hugging Face hub."""

import contextlib
import multiprocessing
import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import ray

from search.doctor.finding import Finding, failed, passed, warned

RAY_SECONDS = 90
"""It takes five; on a busy machine several times as long."""
HUB_SECONDS = 3


@dataclass(frozen=True)
class Started:
    """How it went to start Ray."""

    error: str = ""
    """Why it could not be started; empty where it could."""
    resources: dict[str, float] = field(default_factory=dict)
    """As Ray counted them: CPU, GPU, ..."""


def start_ray(seconds: float = RAY_SECONDS) -> Started:
    """Start Ray as a sweep does, run a task on it and end it, all in a process that may die of it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_start, args=(theirs,), daemon=False)
    process.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            return Started(f"it was not there after {seconds:g} s")
        found: Started = ours.recv()
        process.join(seconds)
    except EOFError:
        process.join()
        return Started(f"its process died with code {process.exitcode}")
    finally:
        process.kill()
        process.join()
        ours.close()
    return found


def _start(answer: "Connection[Any, Any]") -> None:
    from search.cluster import connected

    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(silence, stream.fileno())  # Ray's own lines: what matters of them is in the error
    try:
        with connected("local"):
            ray.get(ray.remote(num_cpus=0)(lambda: None).remote())
            found = Started(resources=ray.cluster_resources())
    except Exception as error:  # noqa: BLE001 (whatever keeps Ray from starting is the finding)
        found = Started(error=str(error) or repr(error))
    answer.send(found)


def check_ray(started: Started) -> Finding:
    """Tell whether Ray could be started on this machine, and what it counted."""
    if started.error:
        remedy = "Mend what else is wrong here; with RAY_TMPDIR=/tmp Ray's own logs stay in /tmp/ray."
        return failed("Ray", f"{ray.__version__}: {started.error}", remedy)
    cpus, gpus = (started.resources.get(name, 0) for name in ("CPU", "GPU"))
    return passed("Ray", f"{ray.__version__} starts, with {cpus:g} CPUs and {gpus:g} GPUs")


def check_hub() -> Finding:
    """Ask the hub, or what HF_ENDPOINT has in its place, unless HF_HUB_OFFLINE says to leave it alone."""
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return passed("hub", f"HF_HUB_OFFLINE is set: models and data of {constants.HF_HUB_CACHE} only")
    endpoint = constants.ENDPOINT
    remedy = (
        "Mend the network, its proxy (HTTPS_PROXY) or HF_ENDPOINT. Models and data in the cache, in local "
        "folders or shipped with tuneoff need no hub: set HF_HUB_OFFLINE=1."
    )
    try:
        request = urllib.request.Request(endpoint, method="HEAD")
        with contextlib.closing(urllib.request.urlopen(request, timeout=HUB_SECONDS)):
            pass
    except urllib.error.HTTPError as error:
        if error.code >= 500 or error.code == 407:  # the server, or a proxy that asks for a password
            return warned("hub", f"{endpoint} answers {error.code} {error.reason}", remedy)
    except (OSError, ValueError) as error:
        return warned("hub", f"{endpoint} cannot be reached: {getattr(error, 'reason', error)}", remedy)
    return passed("hub", f"{endpoint} answers")
