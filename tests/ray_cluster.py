"""A Ray cluster of a test's own on this machine, gone with the block."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from ray.cluster_utils import Cluster


@contextmanager
def started(**head: Any) -> Iterator[Cluster]:
    """`head` are arguments of its head; a socket's path must be short, so Ray's folder is not in pytest's."""
    with TemporaryDirectory(prefix="ray-", dir="/tmp") as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_TMPDIR", folder)
        cluster = Cluster(
            initialize_head=True, head_node_args={"include_dashboard": False, "num_gpus": 0, **head}
        )
        try:
            yield cluster
        finally:
            cluster.shutdown()
