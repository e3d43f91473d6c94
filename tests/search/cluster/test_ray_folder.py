"""The files of a Ray that is started here hold data: nobody else reads them, and they go with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(240)]

CODE = """
import sys
from pathlib import Path
import ray
from search.cluster.failures import RayLost
from search.cluster.connection import connected

with connected(None):
    folder = Path(ray._private.worker._global_node.get_session_dir_path()).parents[1]
    print(folder, oct(folder.stat().st_mode & 0o777))
    if "lost" in sys.argv:
        raise RayLost("planted")
"""


def started(*words: str) -> tuple[Path, str, str]:
    """Where Ray kept its files, the folder's mode, and what was said."""
    others = {name: value for name, value in os.environ.items() if name not in ("RAY_TMPDIR", "TMPDIR")}
    run = subprocess.run(
        [sys.executable, "-c", CODE, *words],
        env=others,
        capture_output=True,
        text=True,
        check=False,
    )
    folder, mode = run.stdout.split()
    return Path(folder), mode, run.stderr


def test_the_folder_is_private_and_goes() -> None:
    folder, mode, _ = started()
    assert folder.name.startswith("ray-")
    assert mode == "0o700"
    assert not folder.exists()


def test_the_logs_are_kept_where_ray_was_lost() -> None:
    folder, mode, told = started("lost")
    assert mode == "0o700"
    assert list(folder.glob("r/session_*/logs/raylet.out"))
    assert f"Ray's logs are kept in {folder}." in told
