"""What a GPU is asked to do is counted without one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import launches
from benchmarks.work import Work


def test_a_step_a_token_and_an_evaluation_are_counted(
    tiny_work: Work, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        launches.work, "prepare", lambda *_, **__: replace(tiny_work, model=random_t5(tmp_path))
    )
    monkeypatch.setattr(launches, "SHORT", 2)
    monkeypatch.setattr(launches, "LONG", 6)
    file = tmp_path / "launches.json"
    launches.main(["--methods", "lora", "--precision", "bf16", "--json", str(file)])
    told = capsys.readouterr().out
    cases = json.loads(file.read_text())["cases"]
    assert [(case["model"], case["method"], case["precision"]) for case in cases] == [
        ("model", "lora", "bf16"),
        ("llama", "lora", "bf16"),
    ]
    for case in cases:
        assert f"{case['model']} bf16 lora, step" in told
        for counts in case["work"].values():
            assert counts["kernels"] > counts["casts"] > 0
        assert case["work"]["evaluation"]["kernels"] > case["work"]["token"]["kernels"]


def random_t5(folder: Path) -> str:
    """One that was taught ends its outputs, of which none may end here."""
    from tests.tiny import random_model, tokenizer

    words = tokenizer("t5")
    words.save_pretrained(folder / "t5")
    random_model("t5", len(words), dropout=0.1).save_pretrained(folder / "t5")
    return str(folder / "t5")
