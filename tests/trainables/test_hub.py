"""A model that cannot be found or trained is told before anything starts, with what was tried."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainables.errors import InputError
from trainables.hub import check_model, model_config
from trainables.task import Task


def task(model: str | Path, **fields: Any) -> Task:
    usual = {"data": "d", "source": "text", "target": "summary", "prompt": "{text}"}
    return Task(model=str(model), **usual | fields)


def test_a_local_folder_is_found(model_folder: Callable[..., str]) -> None:
    folder = model_folder("t5", 0.1, False)
    assert model_config(folder) == json.loads((Path(folder) / "config.json").read_text())
    check_model(task(folder))


def test_a_folder_that_is_absent_is_looked_for_on_the_hub(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        check_model(task(tmp_path / "absent"))
    assert f"task.model: '{tmp_path / 'absent'}' was not found" in str(error.value)
    assert f"the local folder {tmp_path / 'absent'} (absent)" in str(error.value)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        check_model(task(tmp_path))
    assert str(error.value) == f"task.model: the folder {tmp_path} has no config.json, so it holds no model."


def test_a_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_text("x")
    with pytest.raises(InputError, match="was not found"):
        check_model(task(tmp_path / "model.bin"))


@pytest.mark.parametrize(
    "name", ["nobody/no-such-model-at-all", "no spaces please", "a/b/c/d", "T5--", "~/t5"]
)
def test_an_unknown_id_is_told_with_what_was_tried(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        check_model(task(name))
    message = str(error.value)
    assert message.startswith(
        f"task.model: {name!r} was not found. Tried: the local folder {tmp_path / name}"
    )
    assert "the hub's cache and the hub" in message
    assert "The hub may be unreachable, or HF_HUB_OFFLINE set; a private model needs HF_TOKEN." in message


def test_a_config_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": ')
    with pytest.raises(InputError) as error:
        check_model(task(tmp_path))
    assert str(error.value).startswith(f"task.model: {tmp_path / 'config.json'} cannot be read as JSON: ")


def test_fp16_is_refused_for_t5_with_the_reason(model_folder: Callable[..., str]) -> None:
    folder = model_folder("t5", 0.1, False)
    with pytest.raises(InputError) as error:
        check_model(task(folder, precision="fp16"))
    assert str(error.value) == (
        "task.precision: fp16 is refused for models of type t5: their activations overflow it and the loss "
        "becomes NaN. Use bf16, fp32 or auto."
    )
    for precision in ("bf16", "fp32", "auto"):
        check_model(task(folder, precision=precision))


@pytest.mark.parametrize("family", ["bart", "llama"])
def test_fp16_is_allowed_for_others(model_folder: Callable[..., str], family: str) -> None:
    check_model(task(model_folder(family, 0.1, False), precision="fp16"))
