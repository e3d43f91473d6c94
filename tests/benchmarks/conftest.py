"""A piece of work so small that every side of a benchmark does it in a moment."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.work import Work
from tests.tiny import PROMPT


@pytest.fixture(scope="session")
def tiny_work(
    model_folder: Callable[..., str],
    corpus: dict[str, list[dict[str, str]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Work:
    """Sixteen examples to train on, twelve to score, and a T5 that has learned to write."""
    folder = tmp_path_factory.mktemp("work")
    files = {}
    for split, rows in {"train": corpus["train"][:16], "validation": corpus["validation"]}.items():
        files[split] = str(folder / f"{split}.jsonl")
        Path(files[split]).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Work(
        model_folder("t5", 0.0, True),
        files["train"],
        files["validation"],
        "fp32",
        prompt=PROMPT,
        max_source_tokens=96,
        max_target_tokens=24,
    )
