"""The README is true: its commands run, in its order, on a sweep that trains; its Python works as well."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[list[str]]:
    """Every `tuneoff` command of the README, comments taken off."""
    lines = "\n".join(blocks("bash")).splitlines()
    return [line.partition("#")[0].split() for line in lines if line.startswith("tuneoff ")]


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, model_folder: Callable[..., str], data_files: dict[str, str]
) -> Path:
    """A folder with the sweep file of the README, its model tiny, its data small, its budgets short."""
    folder = tmp_path_factory.mktemp("readme")
    sweep = yaml.safe_load(blocks("yaml")[0])
    sweep["task"] |= {"model": model_folder("t5", 0.1, True), "max_target_tokens": 16}
    for split, name in sweep["task"]["data"].items():
        shutil.copy(data_files[split], folder / name)
    sweep["search"] = {"trials_per_method": 2, "max_epochs": 1, "validation_samples": 4}
    sweep["final"] = {"seeds": 1, "test_samples": 4}
    (folder / "sweep.yaml").write_text(yaml.safe_dump(sweep))
    return folder


def execute(arguments: list[str], place: Path) -> str:
    result = subprocess.run(
        arguments,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_command_runs(place: Path) -> None:
    for command, *arguments in commands():
        assert command == "tuneoff"
        if arguments[0] == "compare":
            shutil.copytree(place / "runs/my-sweep", place / "runs/other-sweep")
        execute([sys.executable, "-m", "search.console.app", *arguments], place)
    assert "**" in (place / "runs/my-sweep/report/report.md").read_text(encoding="utf-8")
    assert (place / "my-adapter/adapter_model.safetensors").is_file()
    runs_again = next(block for block in blocks("python") if "run(" in block)
    execute([sys.executable, "-c", f"if __name__ == '__main__':\n{_indented(runs_again)}"], place)


def _indented(source: str) -> str:
    return "".join(f"    {line}\n" for line in source.splitlines())


def test_the_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    assert set(re.findall(r"^make ([a-z-]+)", README, flags=re.M)) <= targets


def test_every_file_it_names_exists() -> None:
    named = set(re.findall(r"`((?:search|trainables|spaces)/[\w/.]+)`", README))
    links = set(re.findall(r"\]\((?!http)([^)#]+)\)", README))
    assert named | links
    assert [name for name in named | links if not (ROOT / name).exists()] == []
