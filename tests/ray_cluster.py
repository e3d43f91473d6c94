"""A Ray cluster of a test's own on this machine, gone with the block."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from tests.ray_folder import RAY_FOLDER

RAY = str(Path(sys.executable).with_name("ray"))
"""The command, which need not be on the path."""


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
