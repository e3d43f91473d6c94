"""A Ray cluster of a test's own on this machine, gone with the block."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from tests.ray_folder import RAY_FOLDER

RAY = [sys.executable, "-m", "ray.scripts.scripts"]
"""The command `ray`, which need not be on the path."""


@contextmanager
def started(**head: Any) -> Iterator[Cluster]:
    """`head` are arguments of its head."""
    with TemporaryDirectory(dir=RAY_FOLDER) as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_TMPDIR", folder)
        cluster = Cluster(
            initialize_head=True, head_node_args={"include_dashboard": False, "num_gpus": 0, **head}
        )
        try:
            yield cluster
        finally:
            cluster.shutdown()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def head_with_jobs(**environment: str) -> Iterator[tuple[str, Path]]:
    """A head as `ray start` makes it, in an environment of its own: its job server's address, its folder.

    Unlike that of `started` it may ask for a token, whatever this process does.
    """
    ports = {name: free_port() for name in ("dashboard", "dashboard-agent-listen", "ray-client-server")}
    address = f"http://127.0.0.1:{ports['dashboard']}"
    with TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        options = ["--num-cpus=1", "--num-gpus=0", f"--temp-dir={folder}", "--port=0"]
        options += [f"--{name}-port={port}" for name, port in ports.items()]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        with subprocess.Popen(
            [*RAY, "start", "--head", "--block", *options],
            env={**os.environ, "PATH": path, **environment},
            stdout=subprocess.DEVNULL,
        ) as head:
            try:
                _await_jobs(head, address, {**os.environ, **environment})
                yield address, Path(folder)
            finally:
                head.terminate()


def _await_jobs(head: subprocess.Popen[bytes], address: str, environment: dict[str, str]) -> None:
    """Wait until a job has run there: the head starts its parts one after the other."""
    job = [*RAY, "job", "submit", "--address", address, "--", "true"]
    while subprocess.run(job, env=environment, capture_output=True, check=False).returncode:
        assert head.poll() is None
        time.sleep(1)
