"""Data that cannot be used is told with what is wrong and what is there."""

import json
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pytest
from pyarrow import Table, parquet

from trainables.data import load
from trainables.errors import InputError
from trainables.task import Task

GOOD = '{"dialogue": "a", "summary": "b"}\n'


def problem(folder: Path, *, name: str = "train.jsonl", content: str | bytes = GOOD, **fields: Any) -> str:
    """What loading says where the training file holds `content` and the other splits are good."""
    (folder / "good.jsonl").write_text(GOOD)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    files = {
        "train": str(folder / name),
        "validation": str(folder / "good.jsonl"),
        "test": str(folder / "good.jsonl"),
    }
    task = {"model": "m", "data": files, "source": "dialogue", "target": "summary", "prompt": "{dialogue}"}
    with pytest.raises(InputError) as error:
        load(Task(**task | fields), seed=0)
    return str(error.value)


def test_a_file_that_is_absent(tmp_path: Path) -> None:
    files = {"train": str(tmp_path / "no.csv")}
    assert problem(tmp_path, data=files) == f"Data file {tmp_path / 'no.csv'} does not exist."


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    message = problem(tmp_path, data={"train": str(tmp_path / "folder.csv")})
    assert "folder.csv holds no file of a known format" in message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train.jsonl", GOOD + '{"dialogue": "a", "summ'),
        ("train.json", "[{]"),
        ("train.json", '"a text"'),
        ("train.csv", 'dialogue,summary\n"a,b\n'),
        ("train.csv", b"dialogue,summary\n\xff\xfe,b\n"),
        ("train.jsonl", b'{"dialogue": "\xff\xfe", "summary": "b"}\n'),
        ("train.tsv", "dialogue\tsummary\na\tb\tc\td\na\tb\tc\td\te\n"),
        ("train.parquet", "no parquet"),
        ("train.parquet", ""),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, content: str | bytes) -> None:
    message = problem(tmp_path, name=name, content=content)
    assert message.startswith(f"Data file {tmp_path / name} cannot be read as {Path(name).suffix[1:]}: ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train.jsonl", ""),
        ("train.jsonl", "\n\n"),
        ("train.json", "[]"),
        ("train.csv", ""),
        ("train.csv", "dialogue,summary\n"),
        ("train.tsv", "dialogue\tsummary\n"),
    ],
)
def test_a_split_without_rows(tmp_path: Path, name: str, content: str) -> None:
    assert problem(tmp_path, name=name, content=content) == "The train split is empty."


def test_a_parquet_split_without_rows(tmp_path: Path) -> None:
    pd.DataFrame({"dialogue": [], "summary": []}).to_parquet(tmp_path / "empty.parquet")
    content = (tmp_path / "empty.parquet").read_bytes()
    assert problem(tmp_path, name="train.parquet", content=content) == "The train split is empty."


def test_a_split_whose_rows_are_all_blank(tmp_path: Path) -> None:
    content = '{"dialogue": "a", "summary": " "}\n{"dialogue": "", "summary": "b"}\n'
    assert problem(tmp_path, content=content) == "The train split has no row with both a source and a target."


@pytest.mark.parametrize(
    ("cell", "held"),
    [
        (["x", None], "null"),
        ([None], "null"),
        (["x", float("nan")], "nan"),
        ([["x"]], "['x']"),
        ({"text": ["x", None]}, "null"),
        ({"answer": "x"}, "{'answer': 'x'}"),
    ],
)
def test_what_is_no_text_among_the_references_is_told_with_its_row_and_column(
    tmp_path: Path, cell: Any, held: str
) -> None:
    message = problem(tmp_path, content=GOOD + json.dumps({"dialogue": "a", "summary": cell}) + "\n")
    assert message == (
        f"train-1: the column 'summary' must hold a text, or a list of texts, and holds {held}. "
        "Mend the row, or leave it out."
    )


def test_a_null_in_a_list_of_a_parquet_file_is_told(tmp_path: Path) -> None:
    rows = [{"dialogue": "a", "summary": ["x"]}, {"dialogue": "b", "summary": ["y", None]}]
    parquet.write_table(Table.from_pylist(rows), tmp_path / "a.parquet")
    message = problem(tmp_path, name="train.parquet", content=(tmp_path / "a.parquet").read_bytes())
    assert message.startswith("train-1: the column 'summary' must hold a text, or a list of texts, and holds")


@pytest.mark.parametrize("source", [["a", "b"], {"text": "a"}])
def test_a_source_that_is_no_text_is_told(tmp_path: Path, source: Any) -> None:
    message = problem(tmp_path, content=json.dumps({"dialogue": source, "summary": "s"}))
    assert message.startswith(f"train-0: the column 'dialogue' must hold a text, and holds {source}.")


@pytest.mark.parametrize("column", ["dialogue", "summary", "topic"])
def test_bytes_that_are_no_text_are_told_with_their_row_and_column(tmp_path: Path, column: str) -> None:
    good = {"dialogue": b"a", "summary": b"s", "topic": b"t", "image": b"\xff"}
    parquet.write_table(Table.from_pylist([good, {**good, column: b"\xff\xfe"}]), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    message = problem(tmp_path, name="train.parquet", content=content, prompt="{dialogue} {topic}")
    assert message == (
        f"train-1: the column '{column}' holds bytes that are no text in UTF-8 (invalid start byte at 0). "
        "Convert it to text."
    )


@pytest.mark.parametrize("name", ["folder/", "./folder", "../folder", "/no/folder", "~/no/folder", "a/b/c"])
def test_a_folder_that_does_not_exist_is_told(tmp_path: Path, name: str) -> None:
    assert problem(tmp_path, data=name).startswith(f"Data folder {name} does not exist.")


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"source": "text", "prompt": "{text}"}, "'text'"),
        ({"target": "abstract"}, "'abstract'"),
        ({"target": ["abstract", "title"]}, "'abstract', 'title'"),
        ({"prompt": "{topic} {dialogue} {date}"}, "'topic', 'date'"),
    ],
)
def test_a_missing_column_is_told_with_those_present(
    tmp_path: Path, fields: dict[str, Any], missing: str
) -> None:
    expected = f"The train split has no column {missing}; it has 'dialogue', 'summary'."
    assert problem(tmp_path, **fields) == expected


def test_too_few_sources_to_carve_from(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(GOOD * 3)
    message = problem(tmp_path, data={"train": str(tmp_path / "one.jsonl")})
    assert message == "The train split has too few different sources to carve a missing split from it."


def test_a_hub_that_cannot_be_reached(tmp_path: Path) -> None:
    message = problem(tmp_path, data="nobody/such-dialogues")
    assert message.startswith("Data set 'nobody/such-dialogues' cannot be loaded from the Hugging Face hub")
    assert "(or HF_HUB_OFFLINE set)" in message
    assert "data: {train: train.jsonl, validation: dev.jsonl, test: test.jsonl}" in message


def test_a_name_is_never_a_folder_that_was_read_elsewhere_and_is_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The datasets library would find it by its bare name, also after the folder was moved away."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    folder = tmp_path / "elsewhere" / "dialogues"
    folder.mkdir(parents=True)
    for split in ("train", "validation", "test"):
        (folder / f"{split}.jsonl").write_text(GOOD)
    fields = {"model": "m", "source": "dialogue", "target": "summary", "prompt": "{dialogue}"}
    assert load(Task(data=str(folder), **fields), seed=0).counts["train"] == 1
    monkeypatch.chdir(tmp_path)
    assert datasets.load_dataset("dialogues")["train"][0]["dialogue"] == "a"
    message = problem(tmp_path, data="dialogues")
    assert message.startswith("Data set 'dialogues' is not on the Hugging Face hub as far as can be told")
    assert "name it as ./dialogues" in message
