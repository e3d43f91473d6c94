"""A split may be many files, packed, elsewhere or written by another tool; the rows are the same."""

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import fsspec
import pandas as pd
import pyarrow as pa
import pytest

from trainables.data import load
from trainables.data_files import files_of, format_of
from trainables.errors import InputError
from trainables.tables import read_split
from trainables.task import Task

ROWS = [{"dialogue": f"Ann: line {i}\nBen: é", "summary": f"s{i}"} for i in range(6)]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda content: pa.compress(content, codec="zstd", asbytes=True),
}


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def task(data: Any) -> Task:
    return Task(model="m", data=data, source="dialogue", target="summary", prompt="{dialogue}")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")


@pytest.mark.parametrize("ending", PACKERS)
def test_a_packed_file_holds_the_same_rows(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"train.jsonl{ending}"
    path.write_bytes(PACKERS[ending](jsonl(ROWS)))
    assert records(read_split(str(path))) == ROWS


def test_a_damaged_packed_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl.gz").write_bytes(gzip.compress(jsonl(ROWS))[:-9])
    with pytest.raises(InputError, match=r"train\.jsonl\.gz cannot be read as jsonl"):
        read_split(str(tmp_path / "train.jsonl.gz"))


@pytest.mark.parametrize("name", ["parts", "parts/*.jsonl", "pa*/**/[a-c].jsonl"])
def test_files_of_a_folder_or_a_pattern_follow_each_other_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "README.md").write_text("no data")
    for place, part in enumerate("cab"):
        (tmp_path / "parts" / f"{part}.jsonl").write_bytes(jsonl(ROWS[2 * place : 2 * place + 2]))
    assert records(read_split(str(tmp_path / name))) == [*ROWS[2:4], *ROWS[4:6], *ROWS[0:2]]


def test_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("dialogue,summary\na,b\n")
    (tmp_path / "b.csv").write_text("dialogue,abstract\na,b\n")
    with pytest.raises(InputError, match=r"b\.csv has the columns 'dialogue', 'abstract'; .*a\.csv has"):
        read_split(str(tmp_path / "*.csv"))


def test_what_save_to_disk_wrote(tmp_path: Path) -> None:
    saved = datasets.Dataset.from_list(ROWS)
    saved.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict(train=saved, test=saved).save_to_disk(str(tmp_path / "all"))
    assert records(read_split(str(tmp_path / "one"))) == ROWS
    assert records(read_split(str(tmp_path / "one" / "*.arrow"))) == ROWS
    task = Task(
        model="m", data=str(tmp_path / "all"), source="dialogue", target="summary", prompt="{dialogue}"
    )
    assert load(task, seed=0).counts == {"train": 5, "validation": 1, "test": 6}


def test_a_url_of_any_store_also_with_a_pattern() -> None:
    store = fsspec.filesystem("memory")
    for part in range(2):
        store.pipe(f"/talk/{part}.jsonl", jsonl(ROWS[3 * part : 3 * part + 3]))
    assert records(read_split("memory://talk/*.jsonl")) == ROWS
    assert records(read_split("memory://talk/1.jsonl")) == ROWS[3:]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("memory://talk/none.jsonl", "cannot be read as jsonl"),
        ("memory://talk/none-*.jsonl", "there is no such file"),
        ("https://user:secret@example.org/a.jsonl", "credentials are read from the environment"),
        ("nowhere://talk/a.jsonl", "cannot be opened"),
    ],
)
def test_a_url_that_cannot_be_read_is_told(url: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as error:
        read_split(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", "dialogue;summary\na;b\n", "its header has semicolons and no comma: save it with commas"),
        ("a.csv", "dialogue\tsummary\na\tb\n", "its header has tabs and no comma: name it .tsv"),
        ("a.json", json.dumps({"version": 1, "data": ROWS}), "its rows are under 'data'"),
        ("a.jsonl", jsonl(ROWS[:1]) + b'{"dialogue": "\xe9"}', "line 2 is no UTF-8 .byte 0xe9.*cp1252"),
        ("a.jsonl", jsonl(ROWS).decode().encode("utf-16"), "it is UTF-16; save it as UTF-8"),
    ],
)  # fmt: skip
def test_what_a_file_may_be_instead_is_told_with_the_remedy(
    tmp_path: Path, name: str, content: str | bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=problem):
        read_split(str(tmp_path / name))


def test_lines_end_as_tokenizers_know_it(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl([{"dialogue": "a\r\nb\rc", "summary": "x\r\ny"}, *ROWS]))
    data = load(task({"train": str(tmp_path / "a.jsonl")}), seed=0)
    first = next(e for split in ("train", "validation", "test") for e in data.split(split) if "c" in e.prompt)
    assert (first.prompt, first.references) == ("a\nb\nc", ("x\ny",))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.jsonl", ".jsonl"), ("A.CSV.GZ", ".csv"), ("a.gz", None), ("a", None), ("s3://b/a.json", ".json")],
)  # fmt: skip
def test_how_a_file_is_read_by_its_name(name: str, kind: str | None) -> None:
    assert format_of(name) == kind


def test_nothing_there_is_no_files(tmp_path: Path) -> None:
    assert files_of(tmp_path / "none.jsonl") == files_of(tmp_path / "*.jsonl") == files_of(tmp_path) == []
