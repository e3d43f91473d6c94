"""`tuneoff init`: the sweep file it writes is valid, and says what it saw in the data."""

import csv
import json
import re
from pathlib import Path

import pytest

from search.config.sweep import load_sweep
from search.console.new_sweep import Start, write_sweep
from trainables import task_types
from trainables.errors import InputError

ROWS = [{"id": i, "note": "short", "text": "a long text " * 9, "gist": f"gist {i} of it"} for i in range(9)]


@pytest.fixture
def train(tmp_path: Path) -> str:
    file = tmp_path / "train.jsonl"
    file.write_text("\n".join(map(json.dumps, ROWS)))
    return str(file)


def start(data: str, **named: object) -> Start:
    settings = {"validation": None, "test": None, "source": None, "target": None, "methods": [], **named}
    return Start("embedded", data, **settings)


def test_columns_are_proposed_by_the_length_of_their_texts(tmp_path, train):
    said = write_sweep(tmp_path / "my.yaml", start(train))
    sweep = load_sweep(tmp_path / "my.yaml")
    assert (sweep.task.source, sweep.task.target) == ("text", "gist")
    assert "reads 'text' (about 108 characters), writes 'gist' (about 12)" in said[0]
    assert list(sweep.methods) == ["full", "lora", "prompt_tuning"]
    assert "{text}" in sweep.task.prompt


def test_a_usual_name_is_the_target_whatever_its_length(tmp_path):
    file = tmp_path / "train.csv"
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["article", "comment", "summary"])
        writer.writeheader()
        writer.writerow({"article": "long " * 50, "comment": "longer " * 10, "summary": "short"})
    write_sweep(tmp_path / "my.yaml", start(str(file)))
    assert load_sweep(tmp_path / "my.yaml").task.target == "summary"


def test_what_is_named_is_taken(tmp_path, train):
    write_sweep(
        tmp_path / "a b.yaml", start(train, source="note", target="text", methods=["lora"], test=train)
    )
    sweep = load_sweep(tmp_path / "a b.yaml")
    assert (sweep.name, sweep.task.source, sweep.task.target) == ("a-b", "note", "text")
    assert list(sweep.methods) == ["lora"]
    assert sweep.task.data.test == train


@pytest.mark.parametrize("option", ["--type", "--kind"])
def test_the_task_type_has_an_option_and_its_old_name(tuneoff, tmp_path, train, option):
    code, _, err = tuneoff("init", "my.yaml", "--data", train, option, "translation")
    assert (code, err) == (0, "")
    assert load_sweep(tmp_path / "my.yaml").task.type == "translation"
    assert "--kind" not in tuneoff("init", "--help")[1]


@pytest.mark.parametrize("task_type", task_types.available())
def test_a_task_type_brings_its_metric_and_its_prompt(tmp_path, train, task_type):
    prompt = task_types.get(task_type).prompt
    write_sweep(tmp_path / "my.yaml", start(train, type=task_type))
    task = load_sweep(tmp_path / "my.yaml").task
    assert (task.type, task.metric) == (task_type, task_types.get(task_type).score or "rougeL")
    assert task.instruction == " ".join(
        re.sub(r"{.*?}", "", prompt.replace("{<source>}", "").replace("<source>", "text"))
        .replace("<target>", "gist")
        .split()
    )


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"source": "txt"}, "--source: there is no column 'txt'; there are id, note, text, gist"),
        ({"methods": ["lorra"]}, "did you mean 'lora'"),
        ({"type": "translate"}, "--type: must be one of .*, got 'translate'; did you mean 'translation'"),
    ],
)
def test_a_mistake_leaves_no_file(tmp_path, train, named, told):
    with pytest.raises(InputError, match=told):
        write_sweep(tmp_path / "my.yaml", start(train, **named))
    assert not (tmp_path / "my.yaml").exists()


def test_a_file_is_never_overwritten(tmp_path, train):
    (tmp_path / "my.yaml").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        write_sweep(tmp_path / "my.yaml", start(train))
    assert (tmp_path / "my.yaml").read_text() == "mine"


@pytest.mark.parametrize(("source", "target"), [("source", "target"), ("src", "tgt")])
def test_a_translation_goes_the_way_that_its_columns_say(tuneoff, tmp_path, source, target):
    rows = [{target: "Das ist ein sehr langer Satz.", source: "It is long."} for _ in range(40)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert tuneoff("init", "my.yaml", "--data", "pairs.jsonl", "--type", "translation")[0] == 0
    task = load_sweep(tmp_path / "my.yaml").task
    assert (task.source, task.target) == (source, target)
