"""The work is drawn once, is told to tuneoff and to the peers alike, and holds nothing that must be cut."""

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from benchmarks.processes import Search, peer, tuneoff
from benchmarks.work import METHODS, PROMPT, Work, prepare
from search.config.budget import rungs
from search.config.sweep import load_sweep
from trainables.data import load
from trainables.workbench import Workbench


@pytest.fixture
def drawn(tmp_path: Path) -> Work:
    options = argparse.Namespace(model="embedded", data="embedded", precision="fp32")
    return prepare(tmp_path, options, train=12, validation=5)


def test_the_work_is_what_both_sides_read(drawn: Work, tmp_path: Path) -> None:
    assert Work.read(drawn.write(tmp_path / "work.json")) == drawn
    data = load(drawn.task(), seed=0)
    assert [len(data.train), len(data.validation)] == [12, 5]
    assert [example.prompt for example in data.train] == [
        PROMPT.format(dialogue=row["dialogue"]) for row in drawn.rows("train")
    ]


def test_nothing_is_cut(drawn: Work) -> None:
    encoded = Workbench(drawn.task(), data_seed=0).encoded("train")
    assert {example.source_cut + example.target_cut for example in encoded} == {0}


def test_a_folder_of_data_and_a_model_without_weights(
    tmp_path: Path, model_folder: Callable[..., str], corpus: dict[str, list[dict[str, str]]]
) -> None:
    bare, made = tmp_path / "bare", tmp_path / "made"
    made.mkdir()
    shutil.copytree(model_folder("t5", 0.0, False), bare, ignore=shutil.ignore_patterns("*.safetensors"))
    for name, rows in {"train": corpus["train"], "dev": corpus["validation"]}.items():
        (tmp_path / f"{name}.jsonl").write_text(
            "".join(json.dumps(row | {"topic": "x"}) + "\n" for row in rows)
        )
    options = argparse.Namespace(model=str(bare), data=str(tmp_path), precision="fp32")
    work = prepare(made, options, train=48, validation=12)
    assert sorted(row["dialogue"] for row in work.rows("validation")) == sorted(
        row["dialogue"] for row in corpus["validation"]
    )
    weights = load_file(Path(work.model) / "model.safetensors")
    assert weights["shared.weight"].std() > 0
    with pytest.raises(AssertionError, match="only 12 examples"):
        prepare(made, options, train=48, validation=13)


def test_the_sweep_file_is_one_that_tuneoff_accepts(drawn: Work, tmp_path: Path) -> None:
    words = tuneoff(drawn, Search(METHODS, trials=8, epochs=3), tmp_path)
    sweep = load_sweep(words[-3])
    assert list(sweep.methods) == list(METHODS)
    assert sweep.task == drawn.task()
    assert rungs(sweep.search, 12) == [12, 36]


def test_a_peer_is_told_the_same_search(drawn: Work, tmp_path: Path) -> None:
    words = peer("script", drawn, Search(("lora",), trials=8), tmp_path, trials=24)
    assert words[2] == "benchmarks.peers.script"
    assert Work.read(words[3]) == drawn
    assert words[4:] == [
        "--trials",
        "24",
        "--epochs",
        "3",
        "--folder",
        str(tmp_path / "script"),
        "--methods",
        "lora",
    ]
