"""Data sets of a hub on loopback, each in a process of its own: the hub's settings are read at import."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_hub import COMMIT, FakeHub, serving

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
ROWS = {split: [{"text": f"{split} {i}", "gist": f"g{i}"} for i in range(40)] for split in ("train", "test")}
LOAD = """
import json, sys
from trainables.data import load
from trainables.errors import InputError
from trainables.task import Task
task = Task(model="m", source="text", target="gist", prompt="{text}", data=json.loads(sys.argv[1]))
try:
    data = load(task, seed=0)
    print(json.dumps({"counts": data.counts, "first": data.train[0].source, "notes": data.notes}))
except InputError as error:
    print(json.dumps({"error": str(error)}))
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    plain = tmp_path / "hub/datasets/me/plain"
    parts = tmp_path / "hub/datasets/me/parts"
    for folder in (plain, parts / "long", parts / "short"):
        folder.mkdir(parents=True)
        for split, rows in ROWS.items():
            (folder / f"{split}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    configs = "".join(
        f"- config_name: {name}\n  data_files:\n  - {{split: train, path: {name}/train.jsonl}}\n"
        for name in ("long", "short")
    )
    (parts / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    with serving(FakeHub(tmp_path / "hub")) as hub:
        yield hub


@pytest.fixture
def loaded(hub: FakeHub, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def load(data: Any, **environment: str) -> dict[str, Any]:
        own = {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "home")}
        without = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        result = subprocess.run(
            [sys.executable, "-c", LOAD, json.dumps(data)],
            cwd=ROOT, env=without | own | {"HF_HUB_DISABLE_XET": "1"} | environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        return answer

    return load


def test_by_its_id_alone_and_then_from_the_cache(hub: FakeHub, loaded: Callable[..., dict[str, Any]]) -> None:
    first = loaded("me/plain")
    assert first["counts"] == {"train": 38, "validation": 2, "test": 40}
    hub.asked.clear()
    assert loaded("me/plain", HF_HUB_OFFLINE="1") == first
    assert hub.asked == []


def test_parts_of_a_configuration_at_a_revision(hub: FakeHub, loaded: Callable[..., dict[str, Any]]) -> None:
    parts = {"train": "train[:80%]", "validation": "train[80%:90%]", "test": "train[90%:]"}
    found = loaded({"hub": "me/parts", "config": "short", "revision": COMMIT, "splits": parts})
    assert found["counts"] == {"train": 32, "validation": 4, "test": 4}
    assert found["first"] == "train 0"
    assert any("short/train.jsonl" in asked for asked in hub.asked)
    assert not any("GET" in asked and "long/train.jsonl" in asked for asked in hub.asked)


def test_one_of_several_configurations_must_be_chosen(loaded: Callable[..., dict[str, Any]]) -> None:
    error = loaded("me/parts")["error"]
    assert "'long', 'short'" in error
    assert "data: {hub: me/parts, config: ...}" in error


def test_a_private_one_needs_a_token(hub: FakeHub, loaded: Callable[..., dict[str, Any]]) -> None:
    hub.private.add("me/plain")
    assert "needs HF_TOKEN" in loaded("me/plain")["error"]
    assert loaded("me/plain", HF_TOKEN=hub.token)["counts"]["test"] == 40


@pytest.mark.parametrize("ills", [[503, 503], [429], [0]])
def test_what_passes_is_waited_for(
    hub: FakeHub, loaded: Callable[..., dict[str, Any]], ills: list[int]
) -> None:
    hub.ills += ills
    assert loaded("me/plain")["counts"]["test"] == 40
    assert hub.ills == []


def test_a_revision_that_is_not_there(loaded: Callable[..., dict[str, Any]]) -> None:
    assert "cannot be loaded from the Hugging Face hub" in loaded({"hub": "me/none"})["error"]
