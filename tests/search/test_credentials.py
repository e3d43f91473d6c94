"""What a user's environment holds stays there: no file that a run leaves has a credential in it."""

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from search.records.results import load_results
from tests.search import replay
from trainables.storage.atomic import write_text

ROOT = Path(__file__).parents[2]
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAPLANTED000000001",
    "AWS_SECRET_ACCESS_KEY": "planted-aws-secret",
    "AWS_SESSION_TOKEN": "planted-aws-session",
    "AWS_SECURITY_TOKEN": "planted-aws-security",
    "AWS_BEARER_TOKEN_BEDROCK": "planted-bedrock",
    "GOOGLE_API_KEY": "planted-google-key",
    "GOOGLE_APPLICATION_CREDENTIALS_JSON": '{"private_key": "planted-google-json"}',
    "AZURE_CLIENT_SECRET": "planted-azure-client",
    "AZURE_STORAGE_KEY": "planted-azure-key",
    "AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=planted-azure-account",
    "AZURE_STORAGE_SAS_TOKEN": "sv=2026&sig=planted-azure-signature",
    "HF_TOKEN": "hf_planted_token_0123456789",
    "HUGGING_FACE_HUB_TOKEN": "hf_planted_hub_0123456789",
    "WANDB_API_KEY": "planted-wandb-0123456789012345678901234567",
    "MLFLOW_TRACKING_USERNAME": "planted-mlflow-user",
    "MLFLOW_TRACKING_PASSWORD": "planted-mlflow-password",
    "MLFLOW_TRACKING_TOKEN": "planted-mlflow-token",
    "OPENAI_API_KEY": "sk-planted-openai",
    "ANTHROPIC_API_KEY": "sk-planted-anthropic",
    "GITHUB_TOKEN": "ghp_planted_github",
    "PGPASSWORD": "planted-postgres",
    "MYSQL_PWD": "planted-mysql",
    "DATABASE_URL": "postgresql://user:planted-user-part@localhost/studies",
    "STUDY_URL": "mysql://localhost/studies?user=u&password=planted-query-part",
    "STUDY_PASSWORD": "planted-study-password",
}
"""Each with a value that stands nowhere else."""


@pytest.fixture
def house() -> Iterator[Path]:
    """A folder that holds all that a run may write; a socket's path must be short, so it is not pytest's."""
    with TemporaryDirectory(prefix="tuneoff-", dir="/tmp") as folder:
        yield Path(folder)


def environment(house: Path, **more: str) -> dict[str, str]:
    """That of a user at home in `house`, whose Ray is as it comes."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    places = {name: str(house / name.lower()) for name in ("HOME", "TMPDIR", "RAY_TMPDIR")}
    for place in places.values():
        Path(place).mkdir()
    return own | places | {"PYTHONPATH": str(ROOT)} | more


def tuneoff(module: str, *arguments: str, environment: dict[str, str]) -> str:
    """What the command prints; it must end well."""
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=environment["HOME"] if Path(environment["HOME"]).is_dir() else "/",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def held_by(content: bytes) -> list[str]:
    return [name for name, value in SECRETS.items() if value.encode() in content]


def real_sweep(model_folder: Callable[..., str], data_files: dict[str, str]) -> dict[str, Any]:
    """What makes a replayed sweep train."""
    return {"task__model": model_folder("t5", 0.0, True), "task__data": data_files, "methods": {"lora": {}}}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


FEW = {"search__trials_per_method": 2, "final__seeds": 1}


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("module", ["search.console.app", "tests.search.drive"])
def test_no_file_of_a_run_holds_a_credential(
    module: str, house: Path, model_folder: Callable[..., str], data_files: dict[str, str]
) -> None:
    """Of one that trains, and of one whose trials fail."""
    task = replay.plant_task(
        house / "task", failures={"lora/0001": ("raises", 0), "full/0001": ("dies once", 1)}
    )
    real = real_sweep(model_folder, data_files) if module == "search.console.app" else {}
    write_text(task / "sweep.yaml", replay.sweep(task, **FEW, **real).to_yaml())
    arguments = ["run", str(task / "sweep.yaml"), "--folder", str(house / "run")]
    told = tuneoff(module, *arguments, environment=environment(house, **SECRETS))
    left = files(house)
    assert (house / "run/report/report.html") in left
    assert any(file.name == "runtime_env_agent.log" for file in left)
    assert [(file, name) for file in left for name in held_by(file.read_bytes())] == []
    assert held_by(told.encode()) == []


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_home_that_cannot_be_written_keeps_nobody_from_training(
    house: Path, model_folder: Callable[..., str], data_files: dict[str, str]
) -> None:
    """As that of another user's container: below a regular file not even root makes a folder."""
    task = replay.plant_task(house / "task")
    write_text(
        task / "sweep.yaml", replay.sweep(task, **FEW, **real_sweep(model_folder, data_files)).to_yaml()
    )
    arguments = ["run", str(task / "sweep.yaml"), "--folder", str(house / "run")]
    tuneoff("search.console.app", *arguments, environment=environment(house) | {"HOME": "/dev/null/home"})
    assert set(load_results(house / "run").finals["status"]) == {"completed"}


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(600)
def test_a_run_that_is_killed_leaves_no_token_that_others_can_read(house: Path) -> None:
    task = replay.plant_sweep(house / "task", seconds=0.5, concurrent=1)
    command = [sys.executable, "-m", "tests.search.drive", "run", str(task / "sweep.yaml")]
    with subprocess.Popen(
        [*command, "--folder", str(house / "run")], env=environment(house), stdout=subprocess.DEVNULL
    ) as driver:
        while not replay.steps(task):
            assert driver.poll() is None
            time.sleep(0.1)
        (token,) = [file for file in files(house) if file.name == "auth_token"]
        driver.kill()
    assert not (house / "home/.ray").exists()
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE(token.parent.stat().st_mode) == 0o700
