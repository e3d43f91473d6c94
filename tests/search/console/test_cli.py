"""The command line: what it prints, and that what a user can mend ends with code 2 and no traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from search.console import app as cli

ROWS = [{"dialogue": f"A: I am number {i}.", "summary": f"It is {i}."} for i in range(40)]


@pytest.fixture
def sweep(tmp_path) -> Callable[..., str]:
    """Writes a sweep with small data and a model that has only its config; keyword arguments change keys."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps({"model_type": "t5"}))
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, ROWS)))

    def write(**task: object) -> str:
        content = {
            "name": "small",
            "task": {
                "model": "model",
                "data": {"train": "train.jsonl"},
                "source": "dialogue",
                "target": "summary",
                "prompt": "Summarize: {dialogue}",
                **task,
            },
            "methods": {"lora": {}},
        }
        (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(content))
        return "sweep.yaml"

    return write


def test_help_names_every_command(tuneoff):
    code, out, _ = tuneoff("--help")
    assert code == 0
    for command in (
        "run",
        "resume",
        "report",
        "check",
        "doctor",
        "methods",
        "export",
        "init",
        "schema",
        "show",
        "verify",
    ):
        assert f" {command} " in out


def test_the_version_is_that_of_the_distribution(tuneoff):
    assert tuneoff("--version") == (0, f"tuneoff {metadata.version('tuneoff')}\n", "")


def test_help_needs_neither_torch_nor_ray_nor_pandas():
    code = (
        "import sys; sys.argv = ['tuneoff', '--help']\n"
        "from search.console import app as cli\n"
        "try: cli.main()\n"
        "except SystemExit: print({'torch', 'ray', 'pandas', 'optuna', 'pydantic'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.rstrip().endswith("set()")


def test_methods_are_shown_with_their_spaces(tuneoff):
    code, out, _ = tuneoff("methods", "lora")
    assert code == 0
    assert "0.0001 to 0.005 (log)" in out
    assert "alpha_ratio" in out


def test_the_schema_is_json(tuneoff):
    _, out, _ = tuneoff("schema")
    assert json.loads(out)["properties"]["search"]


def mistakes() -> dict[str, tuple[dict[str, object], list[str], str]]:
    """Each mistake: what it changes in the task, what it adds to the command, what it must be told."""
    return {
        "unknown metric": ({"metric": "rouge7"}, [], "task.metric: must be one of rouge1"),
        "unknown key": ({}, ["--set", "search.trials=4"], "trials_per_method"),
        "unknown method": ({}, ["--set", "methods.lorra={}"], "did you mean 'lora'"),
        "range": ({}, ["--set", "methods.lora.space.rank=[4, 999]"], "must lie within 4 to 64"),
        "column": ({"source": "dialog", "prompt": "{dialog}"}, [], "no column 'dialog'; it has 'dialogue'"),
        "prompt": ({"prompt": "{dialogue} {speaker}"}, [], "no column 'speaker'"),
        "model": ({"model": "nobody/nothing"}, [], "The hub may be unreachable"),
        "file": ({"data": {"train": "gone.jsonl"}}, [], "gone.jsonl"),
        "empty": ({"data": {"train": "empty.jsonl"}}, [], "The train split is empty"),
        "garbage": ({"data": {"train": "garbage.jsonl"}}, [], "cannot be read as jsonl"),
        "fp16": ({"precision": "fp16"}, [], "fp16 is refused for models of type t5"),
    }


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("mistake", mistakes())
def test_what_can_be_mended_is_told_before_anything_starts(tuneoff, sweep, tmp_path, command, mistake):
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "garbage.jsonl").write_text("{this is no json")
    task, options, told = mistakes()[mistake]
    code, _, error = tuneoff(command, sweep(**task), *options)
    assert code == 2
    assert told in error


@pytest.mark.parametrize("text", ["name: [", "name: a\nname: b\n", "- a list"])
def test_yaml_that_is_no_sweep(tuneoff, tmp_path, text):
    (tmp_path / "sweep.yaml").write_text(text)
    code, _, error = tuneoff("run", "sweep.yaml")
    assert code == 2
    assert "sweep.yaml" in error


def test_a_file_that_is_not_there(tuneoff):
    code, _, error = tuneoff("run", "dialogsm")
    assert code == 2
    assert "did you mean 'dialogsum'" in error


def test_a_folder_of_another_sweep(tuneoff, sweep, tmp_path):
    sweep()
    other = tmp_path / "runs" / "small"
    other.mkdir(parents=True)
    from search.config.sweep import load_sweep

    (other / "sweep.yaml").write_text(load_sweep("sweep.yaml", ["seed=7"]).to_yaml())
    code, _, error = tuneoff("run", "sweep.yaml")
    assert code == 2
    assert "holds another sweep" in error
    assert "seed: must not change; was 7, now 0" in error


def test_a_folder_that_cannot_be_written(tuneoff, sweep, tmp_path):
    (tmp_path / "taken").touch()
    code, _, error = tuneoff("run", sweep(), "--folder", "taken/run")
    assert code == 2
    assert "cannot be written" in error


def test_a_folder_that_is_no_run_folder(tuneoff, tmp_path):
    for command in (["resume"], ["report"], ["export", "--method", "lora", "--to", "x"]):
        code, _, error = tuneoff(command[0], str(tmp_path), *command[1:])
        assert code == 2
        assert "is not a run folder" in error


@pytest.mark.ray
def test_a_gpu_that_is_not_there(tuneoff, sweep, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    code, _, error = tuneoff("run", sweep(), "--set", "resources.gpus_per_trial=1")
    assert code == 2
    assert "a trial asks for 1 GPUs, but there are 0 here" in error
    assert not list(Path("runs/small").glob("trials/*"))


def test_an_audit_is_asked_for_by_an_option_of_run_and_of_resume(tuneoff, sweep, monkeypatch, tmp_path):
    begun = []
    monkeypatch.setattr(cli, "_run", lambda loaded, *_, **__: begun.append(loaded))
    file = sweep()
    tuneoff("run", file)
    tuneoff("run", file, "--audit", "3", "--set", "search.trials_per_method=5")
    folder = tmp_path / "runs" / "small"
    folder.mkdir(parents=True)
    (folder / "sweep.yaml").write_text(begun[-1].to_yaml())
    tuneoff("resume", str(folder))
    tuneoff("resume", str(folder), "--audit", "7")
    assert [loaded.search.audit for loaded in begun] == [0, 3, 3, 7]
    assert [loaded.search.trials_per_method for loaded in begun] == [16, 5, 5, 5]
    code, _, error = tuneoff("run", file, "--audit", "-1")
    assert code == 2
    assert "greater than or equal to 0" in error


def test_a_method_without_a_name(tuneoff):
    code, _, error = tuneoff("methods", "")
    assert code == 2
    assert "unknown method ''" in error


def test_a_terminal_that_knows_ascii_only(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-m", "search.console.app", "methods"]
    result = subprocess.run(words, env=environment, capture_output=True, check=True)
    assert b"prompt_tuning" in result.stdout
    assert result.stdout.isascii()


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    ("key", "told"), [("cpus", "asks for 1000 CPUs, there are"), ("gpus", "asks for 0.5 GPUs")]
)
def test_what_a_machine_has_not_is_told_before_ray_starts(tuneoff, sweep, monkeypatch, command, key, told):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("search.cluster.connection.machine_resources", lambda: {"CPU": 2, "GPU": 0})
    monkeypatch.setattr("ray.init", lambda **options: pytest.fail("Ray was started"))
    amount = {"cpus": 1000, "gpus": 0.5}[key]
    code, _, error = tuneoff(command, sweep(), "--set", f"resources.{key}_per_trial={amount}")
    assert code == 2
    assert told in error
