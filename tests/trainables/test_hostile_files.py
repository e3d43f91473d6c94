"""Data and model files that nobody should write: each ends in an error that names the file, in words."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import FUZZED
from trainables.data import train_rows
from trainables.data_source import DataFiles
from trainables.encode import load_encoder
from trainables.errors import InputError
from trainables.hub import check_model
from trainables.task import Task

GOOD = '{"dialogue": "a", "summary": "b"}\n'
DATA = {
    "numbers": ("jsonl", "1\n", "line 1 holds a number; an object is needed"),
    "a number among objects": ("jsonl", GOOD + "\n5\n", "line 3 holds a number; an object is needed"),
    "a null among objects": ("jsonl", GOOD + "null\n", "line 2 holds null; an object is needed"),
    "arrays": ("jsonl", "[1]\n", "line 1 holds an array; an object is needed"),
    "a line cut off": ("jsonl", GOOD + '{"dialogue": ', "line 2: Expecting value at character 14"),
    "half a character": ("jsonl", r'{"dialogue": "\ud800"}', "line 1: it holds half a character"),
    "half a character in a list": ("json", r'[{"dialogue": "\ud800"}]', "it holds half a character"),
    "depth": ("json", "[" * 100_000, "it is nested too deeply"),
    "depth in a line": ("jsonl", "[" * 100_000, "line 1: it is nested too deeply"),
    "one object": ("json", GOOD, "it holds an object; a list of objects is needed"),
    "a string": ("json", '"x"', "it holds a string; a list of objects is needed"),
    "strings": ("json", '["x"]', "row 1 holds a string; an object is needed"),
    "columns of other lengths": ("json", '{"a": [1], "b": [1, 2]}', "All arrays must be of the same length"),
}


def rows(folder: Path, ending: str, content: bytes) -> pd.DataFrame:
    file = folder / f"train.{ending}"
    file.write_bytes(content)
    return train_rows(DataFiles(train=str(file)))


@pytest.mark.parametrize(("ending", "content", "message"), DATA.values(), ids=DATA)
def test_hostile_data_are_refused_in_words(ending: str, content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        rows(tmp_path, ending, content.encode())
    assert str(error.value).startswith(
        f"Data file {tmp_path / f'train.{ending}'} cannot be read as {ending}: {message}"
    )


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_a_byte_order_mark_is_no_part_of_the_data(ending: str, tmp_path: Path) -> None:
    content = f"[{GOOD}]" if ending == "json" else GOOD
    assert rows(tmp_path, ending, b"\xef\xbb\xbf" + content.encode()).to_dict("list") == {
        "dialogue": ["a"],
        "summary": ["b"],
    }


def test_an_emoji_written_as_two_halves_is_a_character(tmp_path: Path) -> None:
    read = rows(tmp_path, "jsonl", rb'{"dialogue": "\ud83d\ude00"}')
    assert read.to_dict("list") == {"dialogue": ["\N{GRINNING FACE}"]}


JSONISH = st.text(alphabet='{}[]",:\\ud8 0e-\n\tabntrfl', max_size=60).map(str.encode)


@FUZZED
@given(
    ending=st.sampled_from(["json", "jsonl", "csv", "tsv", "parquet"]),
    content=JSONISH | st.binary(max_size=60),
)
def test_any_bytes_are_rows_or_an_error_in_words(ending: str, content: bytes, tmp_path: Path) -> None:
    try:
        read = rows(tmp_path, ending, content)
    except InputError as error:
        told = str(error)
    else:
        told = f"{tmp_path}: {len(read)} rows"
    assert str(tmp_path) in told


CONFIGS = ("[]", "{}", "5", "garbage", '{"model_type": "nosuch"}', '{"model_type": 5}',
           '{"model_type": null}', '{"model_type": "t5", "d_model": "x"}',
           '{"model_type": "t5", "vocab_size": -1}',
           '{"model_type": "t5", "auto_map": {"AutoConfig": "evil.Config"}}')  # fmt: skip
TOKENIZERS = ("", "[]", "{}", "garbage", "null", '{"model": {}}', '{"model": {"type": "nosuch"}}')


def test_a_model_that_writes_no_text_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    task = Task(model=str(tmp_path), data="d", source="dialogue", target="summary", prompt="{dialogue}")
    with pytest.raises(InputError, match="has no token that ends a text"):
        load_encoder(task)


MODEL_FILES = [
    *(("config.json", content) for content in CONFIGS),
    *((name, content) for name in ("tokenizer.json", "tokenizer_config.json") for content in TOKENIZERS),
]


@pytest.mark.parametrize(("name", "content"), MODEL_FILES)
def test_hostile_files_of_a_model_are_refused_in_words(
    name: str, content: str, model_folder: Callable[..., str], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_folder("t5", 0.1, False), folder)
    (folder / name).write_text(content)
    task = Task(model=str(folder), data="d", source="dialogue", target="summary", prompt="{dialogue}")
    try:
        check_model(task)
        encoder = load_encoder(task)
    except InputError as error:
        assert str(folder) in str(error)  # noqa: PT017 - some are mended by the libraries
    else:
        assert encoder.is_encoder_decoder
        assert json.loads(content) is not None
