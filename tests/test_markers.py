"""That a test which starts Ray says so, whichever way it starts it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OF_EVERY_WAY = """
import subprocess
import sys

import pytest

START = "import ray; ray.init(num_cpus=1, include_dashboard=False); ray.shutdown()"


def started():
    subprocess.run([sys.executable, "-c", START], check=True)


@pytest.fixture
def running():
    started()


def test_call(): started()
def test_fixture(running): pass
@pytest.mark.ray
def test_marked(): started()
def test_joins(cluster): pass
def test_none(): pass
"""


def outcomes(*arguments: str | Path) -> str:
    """What a run of pytest with our conftest prints."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-rA", "-q", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.mark.ray
@pytest.mark.slow
def test_a_test_that_starts_ray_says_so_and_one_that_joins_it_is_marked(tmp_path: Path) -> None:
    (tmp_path / "test_ways.py").write_text(OF_EVERY_WAY)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = ray\n")
    told = {
        f"{line.split()[0]} {line.partition('::')[2]}"
        for line in outcomes(tmp_path).splitlines()
        if "::" in line
    }
    unmarked = "Failed: starts Ray: mark it with @pytest.mark.ray, or its file with pytestmark"
    assert told >= {f"FAILED test_call - {unmarked}", f"ERROR test_fixture - {unmarked}"}
    assert told >= {"PASSED test_marked", "PASSED test_joins", "PASSED test_none"}
    assert "2/5 tests collected" in outcomes(tmp_path, "-m", "ray", "--collect-only")
