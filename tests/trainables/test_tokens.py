"""Tokens are made once and read by all: what is read is what was made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from trainables.encode import Encoded, load_encoder
from trainables.storage.place import place
from trainables.task import Task
from trainables.tokens import kept, token_name
from trainables.workbench import Workbench


def refused(examples: object) -> list[Encoded]:
    raise AssertionError("asked for tokens")


def test_a_second_process_reads_what_the_first_made(make_task: Callable[..., Task], tmp_path: Path) -> None:
    task, alone = make_task("t5"), Workbench(make_task("t5"), 0)
    first, second = Workbench(task, 0, tmp_path), Workbench(task, 0, tmp_path)
    made = {split: first.encoded(split) for split in ("train", "test")}
    second.base.encoder.encode = refused  # type: ignore[method-assign]
    for split, encoded in made.items():
        assert second.encoded(split) == encoded == alone.encoded(split)
    with pytest.raises(AssertionError, match="asked for tokens"):
        second.encoded("validation")
    assert sorted(file.name for file in tmp_path.rglob("*.parquet")) == ["test.parquet", "train.parquet"]


@pytest.mark.parametrize("damage", [b"", b"PAR1 half"])
def test_damaged_tokens_are_made_anew(tmp_path: Path, damage: bytes) -> None:
    tokens = [Encoded([1, 2], [3], 0, 1), Encoded([], [4], 2, 0)]
    assert kept(tmp_path, "train", lambda: tokens) == tokens
    (tmp_path / "train.parquet").write_bytes(damage)
    assert kept(tmp_path, "train", lambda: tokens[:1]) == tokens[:1]
    assert kept(tmp_path, "train", lambda: pytest.fail("they are there")) == tokens[:1]


def test_other_data_limits_prompts_and_tokenizers_have_tokens_of_their_own(
    make_task: Callable[..., Task],
) -> None:
    task = make_task("t5")
    shorter = task.model_copy(update={"max_source_tokens": 95})
    elsewhere = task.model_copy(update={"data": "some/dialogues"})
    names = {
        "same": token_name(load_encoder(task), "f"),
        "data": token_name(load_encoder(task), "g"),
        "limit": token_name(load_encoder(shorter), "f"),
        "tokenizer": token_name(load_encoder(make_task("llama")), "f"),
    }
    assert len(set(names.values())) == len(names)
    assert token_name(load_encoder(task), "f") == names["same"]
    assert token_name(load_encoder(elsewhere), "f") == names["same"]


def test_an_object_store_keeps_tokens_too() -> None:
    tokens, folder = [Encoded([1, 2], [3], 0, 1)], place("memory://tokens/a")
    assert kept(folder, "train", lambda: tokens) == tokens
    assert kept(folder, "train", lambda: pytest.fail("they are there")) == tokens
