"""The small model and the dialogues that ship with tuneoff, so that a sweep runs without any download."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trainables.embedded.dialogues import generate

if TYPE_CHECKING:
    import pandas

MODEL = Path(__file__).parent / "model"
"""Folder of the small T5 and its tokenizer; ``python -m tools.pretraining.pretrain`` makes it anew."""

__all__ = ["MODEL", "generate", "load_splits"]


def load_splits(seed: int = 0) -> dict[str, pandas.DataFrame]:
    """The generated splits as frames; the test frame has summary1 to summary3 in place of summary."""
    from pandas import DataFrame

    return {split: DataFrame(rows) for split, rows in generate(seed=seed).items()}
