"""What a task's files hold becomes examples, whatever their format and however their splits are laid out."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pytest
from pyarrow import Table, parquet

from trainables.data import Data, Example, load
from trainables.data_files import DATA_FORMATS
from trainables.errors import InputError
from trainables.task import Task

Rows = list[dict[str, Any]]
ROWS: Rows = [
    {"dialogue": "Ann: Hi, \"Ben\"!\nBen: It's\t5 o'clock.", "summary": "NA", "topic": "007"},
    {"dialogue": "  two  spaces, comma ", "summary": "null", "topic": "1.50"},
    {"dialogue": "Zoë: \u2028 a line separator, 茶 and 🍵", "summary": "2020-01-31", "topic": "1e5"},
    {"dialogue": "12345678901234567890", "summary": "True", "topic": ""},
]


def write(path: Path, rows: Rows) -> str:
    """Rows in the format of the path's ending, by the standard library where it can."""
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    elif path.suffix == ".parquet":
        parquet.write_table(Table.from_pylist(rows), path)
    elif path.suffix == ".arrow":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, Table.from_pylist(rows).schema) as out:
            out.write_table(Table.from_pylist(rows))
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return str(path)


def task(data: Any, **changes: Any) -> Task:
    fields = {"model": "m", "data": data, "source": "dialogue", "target": "summary", "prompt": "> {dialogue}"}
    return Task(**fields | changes)


def row(dialogue: str, summary: str = "s") -> dict[str, str]:
    return {"dialogue": dialogue, "summary": summary}


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Data]:
    """`loaded(train=rows, ..., seed=0, **fields of the task)` of jsonl files."""

    def make(*, seed: int = 0, fields: dict[str, Any] | None = None, **splits: Rows) -> Data:
        files = {split: write(tmp_path / f"{split}.jsonl", rows) for split, rows in splits.items()}
        return load(task(files, **fields or {}), seed)

    return make


@pytest.fixture
def hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the datasets library reads as it reads one of the hub."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    rows = [{**row("Ben: Ho"), "topic": None}, {**row("Ann: Hi"), "topic": 7}]
    (tmp_path / "hub").mkdir()
    for split in ("train", "dev", "test"):
        write(tmp_path / "hub" / f"{split}.jsonl", rows)
    return tmp_path / "hub"


@pytest.mark.parametrize("suffix", DATA_FORMATS)
def test_every_format_gives_the_same_text(tmp_path: Path, suffix: str) -> None:
    files = {split: write(tmp_path / f"{split}{suffix}", ROWS) for split in ("train", "validation", "test")}
    data = load(task(files, prompt="{topic}: {dialogue}."), seed=0)
    for split in ("train", "validation", "test"):
        assert data.split(split) == [
            Example(f"{split}-{i}", r["dialogue"], f"{r['topic']}: {r['dialogue']}.", (r["summary"],))
            for i, r in enumerate(ROWS)
        ]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet"])
def test_a_number_reads_as_it_is_written_although_another_row_has_none(tmp_path: Path, suffix: str) -> None:
    rows = [{**row("a"), "topic": 7}, row("b"), {**row("c"), "topic": 2**62 + 1}]
    files = dict.fromkeys(("train", "validation", "test"), write(tmp_path / f"a{suffix}", rows))
    data = load(task(files, prompt="{topic}|{dialogue}"), seed=0)
    assert [example.prompt for example in data.train] == ["7|a", "|b", f"{2**62 + 1}|c"]


def test_the_ending_may_be_in_capitals(tmp_path: Path) -> None:
    lower = Path(write(tmp_path / "a.csv", ROWS))
    files = dict.fromkeys(("train", "validation", "test"), str(lower.rename(tmp_path / "A.CSV")))
    assert load(task(files), seed=0).counts == {"train": 4, "validation": 4, "test": 4}


def test_a_data_set_of_the_hub_gives_what_its_files_give(hub_folder: Path) -> None:
    hub = load(task(str(hub_folder), prompt="{topic}: {dialogue}"), seed=0)
    splits = {"train": "train", "validation": "dev", "test": "test"}
    files = {split: str(hub_folder / f"{name}.jsonl") for split, name in splits.items()}
    local = load(task(files, prompt="{topic}: {dialogue}"), seed=0)
    assert (hub.train, hub.validation, hub.test) == (local.train, local.validation, local.test)
    assert hub.train[1].prompt == "7: Ann: Hi"


def test_a_data_set_of_the_hub_whose_splits_differ_in_their_columns_is_told(hub_folder: Path) -> None:
    write(hub_folder / "test.jsonl", [{"dialogue": "a", "summary1": "x"}])
    with pytest.raises(InputError, match="cannot be loaded from the Hugging Face hub"):
        load(task(str(hub_folder)), seed=0)


def test_numbered_summaries_are_references_of_one_example(loaded: Callable[..., Data]) -> None:
    test = [{"dialogue": "a", "summary2": "y", "summary1": "x", "summary3": " ", "summary_by": "me"}]
    data = loaded(train=[row("t")], validation=[row("v")], test=test)
    assert data.test == [Example("test-0", "a", "> a", ("y", "x"))]
    assert data.notes == []


def test_what_lies_within_a_column_has_a_dotted_name(loaded: Callable[..., Data]) -> None:
    rows = [
        {"pair": {"de": f"Satz {i}.", "en": {"text": [f"Line {i}.", "Same."]}}, "topic": "a{b}"}
        for i in range(3)
    ]
    fields = {"source": "pair.de", "target": "pair.en.text", "prompt": "{topic}: {pair.de}"}
    data = loaded(train=rows, validation=rows[:1], test=rows[1:2], fields=fields)
    assert data.train[1].prompt == "a{b}: Satz 1."
    assert data.train[1].source_place == (6, 13)
    assert data.train[1].references == ("Line 1.", "Same.")
    with pytest.raises(InputError, match=r"has no column 'pair\.fr'; it has 'pair', 'topic'"):
        loaded(train=rows, validation=rows, test=rows, fields={**fields, "target": "pair.fr"})


def test_train_examples_are_drawn_by_the_seed_in_the_order_of_the_data(loaded: Callable[..., Data]) -> None:
    rows = [row(f"dialogue {i}") for i in range(200)]
    splits = {"train": rows, "validation": rows[:1], "test": rows[:1], "fields": {"train_samples": 50}}
    data, again, other = loaded(**splits), loaded(**splits), loaded(**splits, seed=1)
    places = [int(example.id.split("-")[1]) for example in data.train]
    assert len(places) == 50
    assert places == sorted(set(places))
    assert data == again
    assert data.train != other.train
    assert "train: 50 examples of 200 drawn by the seed." in data.notes
    assert (
        loaded(**splits | {"fields": {"train_samples": 200}}).train == loaded(**splits | {"fields": {}}).train
    )


def test_targets_may_be_several_columns(loaded: Callable[..., Data]) -> None:
    rows = [{"dialogue": "a", "short": "x", "long": "y"}, {"dialogue": "b", "short": "", "long": "z"}]
    data = loaded(train=rows, validation=rows[:1], test=rows[1:], fields={"target": ["long", "short"]})
    assert [example.references for example in data.train] == [("y", "x"), ("z",)]


def test_rows_that_repeat_a_source_hold_its_references_but_not_in_train(loaded: Callable[..., Data]) -> None:
    rows = [row("a", "x"), row("b", "y"), row("a", "z"), row("a", "x")]
    data = loaded(train=rows, validation=rows, test=[row("c")])
    assert [example.references for example in data.train] == [("x",), ("y",), ("z",), ("x",)]
    assert data.validation == [
        Example("validation-0", "a", "> a", ("x", "z")),
        Example("validation-1", "b", "> b", ("y",)),
    ]
    merged = "validation: 4 rows hold 2 different sources; the rows of one source are its references."
    assert merged in data.notes


def test_missing_splits_are_carved_from_train_by_the_seed(loaded: Callable[..., Data]) -> None:
    rows = [row(f"dialogue {i % 100}", f"summary {i}") for i in range(300)]
    data, again, other = loaded(train=rows), loaded(train=rows), loaded(train=rows, seed=1)
    assert data == again
    assert data.validation != other.validation
    sources = [{example.source for example in data.split(name)} for name in ("train", "validation", "test")]
    assert [len(names) for names in sources] == [90, 5, 5]
    assert len(set.union(*sources)) == 100
    assert data.counts == {"train": 270, "validation": 5, "test": 5}
    assert data.notes == [
        "validation was carved from train with seed 0: 5 examples.",
        "test was carved from train with seed 0: 5 examples.",
        "train: 180 rows repeat the source of another; all are trained on.",
    ]


def test_what_is_carved_keeps_all_that_is_asked_and_all_answers(loaded: Callable[..., Data]) -> None:
    rows = [
        {"dialogue": f"text {i // 4}", "question": f"{i % 2}?", "summary": f"answer {i}"} for i in range(80)
    ]
    data = loaded(train=rows, fields={"type": "question_answering", "prompt": "{dialogue} {question}"})
    (source,) = {example.source for example in data.test}
    first = 4 * int(source.split()[1])
    assert {example.prompt: example.references for example in data.test} == {
        f"{source} 0?": (f"answer {first}", f"answer {first + 2}"),
        f"{source} 1?": (f"answer {first + 1}", f"answer {first + 3}"),
    }


def test_only_the_missing_split_is_carved(loaded: Callable[..., Data]) -> None:
    rows = [row(f"dialogue {i}") for i in range(40)]
    data = loaded(train=rows[:-1], test=rows[-1:])
    assert data.counts == {"train": 37, "validation": 2, "test": 1}
    assert data.notes == ["validation was carved from train with seed 0: 2 examples."]


def test_shared_sources_are_counted_for_each_pair_of_splits(loaded: Callable[..., Data]) -> None:
    data = loaded(
        train=[row("a"), row("b"), row("b"), row("c")],
        validation=[row("b"), row("c"), row("d")],
        test=[row("c"), row("e"), row("d"), row("c", "again")],
    )
    assert [note for note in data.notes if note.startswith("Warning")] == [
        "Warning: 2 sources of validation in train too: scores on validation are flattered.",
        "Warning: 1 source of test in train too: scores on test are flattered.",
        "Warning: 2 sources of test in validation too: scores on test are flattered.",
    ]


def test_rows_without_a_source_or_a_target_are_left_out_and_counted(loaded: Callable[..., Data]) -> None:
    rows = [
        row("a"),
        row("b", " "),
        row("\n"),
        {"dialogue": "c", "summary": None},
        {"dialogue": "d"},
        row("e"),
    ]
    data = loaded(train=rows, validation=[row("v")], test=[row("t")])
    assert [(example.id, example.source) for example in data.train] == [("train-0", "a"), ("train-5", "e")]
    assert data.notes == ["train: 4 rows without a source or a target left out."]


def test_the_fingerprint_stays_when_the_files_move(tmp_path: Path, data_files: dict[str, str]) -> None:
    moved = {
        split: str(shutil.copy(file, tmp_path / f"other-{split}.jsonl")) for split, file in data_files.items()
    }
    assert load(task(moved), seed=0).fingerprint == load(task(data_files), seed=0).fingerprint


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize(("old", "new"), [("Where", "where"), ("The ", "The\u00a0")])
def test_the_fingerprint_changes_with_a_character(
    tmp_path: Path, data_files: dict[str, str], split: str, old: str, new: str
) -> None:
    text = Path(data_files[split]).read_text()
    assert old in text
    (tmp_path / "changed.jsonl").write_text(text.replace(old, new, 1))
    changed = {**data_files, split: str(tmp_path / "changed.jsonl")}
    assert load(task(changed), seed=0).fingerprint != load(task(data_files), seed=0).fingerprint


def test_the_fingerprint_changes_when_a_row_moves_to_another_split(loaded: Callable[..., Data]) -> None:
    one = loaded(train=[row("a"), row("b")], validation=[row("c")], test=[row("d")])
    two = loaded(train=[row("a")], validation=[row("b"), row("c")], test=[row("d")])
    assert one.fingerprint != two.fingerprint


def test_a_list_of_texts_and_squads_answers_are_references(tmp_path: Path) -> None:
    rows = [
        {"dialogue": "a", "summary": ["x", "y"]},
        {"dialogue": "b", "summary": {"text": ["z", ""], "answer_start": [3, 4]}},
        {"dialogue": "c", "summary": []},
        {"dialogue": "d", "summary": 7},
    ]
    file = write(tmp_path / "a.jsonl", rows)
    data = load(task(dict.fromkeys(("train", "validation", "test"), file)), seed=0)
    assert [(example.source, example.references) for example in data.train] == [
        ("a", ("x", "y")),
        ("b", ("z",)),
        ("d", ("7",)),
    ]


def test_a_list_reads_the_same_from_parquet(tmp_path: Path) -> None:
    rows = [{"dialogue": "a", "summary": ["x", "y"]}, {"dialogue": "b", "summary": ["z"]}]
    files = dict.fromkeys(("train", "validation", "test"), write(tmp_path / "a.parquet", rows))
    data = load(task(files, prompt="{{ dialogue }}"), seed=0)
    assert [example.references for example in data.test] == [("x", "y"), ("z",)]


def test_bytes_are_text_in_utf_8(tmp_path: Path) -> None:
    rows = [
        {"dialogue": "Zoë".encode(), "summary": [b"x", "茶".encode()], "topic": b"t", "image": b"\xff"},
        {"dialogue": b"b", "summary": [b"y"], "topic": None, "image": None},
    ]
    files = dict.fromkeys(("train", "validation", "test"), write(tmp_path / "a.parquet", rows))
    data = load(task(files, prompt="{topic}: {dialogue}"), seed=0)
    assert data.train == [
        Example("train-0", "Zoë", "t: Zoë", ("x", "茶")),
        Example("train-1", "b", ": b", ("y",)),
    ]


def test_a_jinja_prompt_sees_values_as_they_are(tmp_path: Path) -> None:
    rows = [
        {"dialogue": "a", "summary": "s", "turns": ["x", "y"], "year": 1999},
        {"dialogue": "b", "summary": "s", "turns": [], "year": None},
    ]
    files = dict.fromkeys(("train", "validation", "test"), write(tmp_path / "a.jsonl", rows))
    prompt = "{{ turns | join('|') }}{% if year %} before {{ year + 1 }}{% endif %} {{ dialogue }}"
    data = load(task(files, prompt=prompt), seed=0)
    assert [example.prompt for example in data.train] == ["x|y before 2000 a", " b"]
    assert [example.source_place for example in data.train] == [(16, 17), (1, 2)]


def test_a_row_that_the_prompt_cannot_be_filled_with_is_named(loaded: Callable[..., Data]) -> None:
    rows = [row("a"), {**row("b"), "n": 0}]
    splits = dict.fromkeys(("train", "validation", "test"), rows)
    with pytest.raises(InputError, match=r"task.prompt cannot be filled with train-1: ZeroDivisionError"):
        loaded(**splits, fields={"prompt": "{{ dialogue }}{% if n != '' %}{{ 1 / n }}{% endif %}"})


CLASSES: dict[str, Any] = {"type": "classification"}


def test_the_labels_are_the_train_splits_words(loaded: Callable[..., Data]) -> None:
    rows = [row("a", "sad"), row("b", "glad"), row("c", "sad"), row("c", "glad")]
    data = loaded(train=rows, validation=rows[:1], test=rows, fields=CLASSES)
    assert data.labels == ("glad", "sad")
    assert [example.references for example in data.test] == [("sad",), ("glad",), ("sad",), ("glad",)]


@pytest.mark.parametrize("labels", [["sad", "glad"], {"0": "sad", "1": "glad"}])
def test_named_labels_keep_their_order(loaded: Callable[..., Data], labels: Any) -> None:
    values = list(labels)
    rows = [{"dialogue": "a", "summary": values[1]}, {"dialogue": "b", "summary": values[0]}]
    data = loaded(train=rows[:1], validation=rows, test=rows, fields=CLASSES | {"labels": labels})
    assert data.labels == ("sad", "glad")
    assert [example.references for example in data.test] == [("glad",), ("sad",)]


def test_a_numbers_label_is_found_by_its_text(loaded: Callable[..., Data]) -> None:
    rows = [{"dialogue": "a", "summary": 1}, {"dialogue": "b", "summary": 0}]
    splits = dict.fromkeys(("train", "validation", "test"), rows)
    data = loaded(**splits, fields=CLASSES | {"labels": {0: "sad", 1: "glad"}})
    assert [example.references for example in data.train] == [("glad",), ("sad",)]


@pytest.mark.parametrize(
    ("test", "labels", "message"),
    [
        ("gladd", ["sad", "glad"], "task.labels: the data has the value 'gladd'; .* did you mean 'glad'"),
        ("cross", None, "task.labels: test has labels that train has not: cross"),
    ],
)
def test_a_label_that_is_not_known_is_told(
    loaded: Callable[..., Data], test: str, labels: Any, message: str
) -> None:
    rows = [row("a", "sad"), row("b", "glad")]
    with pytest.raises(InputError, match=message):
        loaded(train=rows, validation=rows, test=[row("c", test)], fields=CLASSES | {"labels": labels})


@pytest.mark.parametrize("count", [1, 101])
def test_too_few_or_too_many_labels_are_told(loaded: Callable[..., Data], count: int) -> None:
    rows = [row(str(i), f"label {i}") for i in range(count)]
    splits = dict.fromkeys(("train", "validation", "test"), rows)
    with pytest.raises(InputError, match=f"has 2 to 100 labels, the train split has {count} different"):
        loaded(**splits, fields=CLASSES)
