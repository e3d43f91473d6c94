"""`tuneoff import`: a sweep's own predictions, written out and read back, and files that must be refused."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from search.engine import run
from search.importing import Columns, bring
from search.records import load_results, verify
from search.report.document import document
from search.report.page import page
from search.report.sections import sections
from search.verdict import verdict
from tests.search.conftest import SWEEP, Planted
from trainables.errors import InputError
from trainables.examples import Example
from trainables.scoring import score

Tuneoff = Callable[..., tuple[int, str, str]]
Rows = list[dict[str, Any]]
QA: dict[str, Any] = {"type": "question_answering", "metric": None, "references": None}
ANSWERS = {"full": "the red car", "lora": "a red car here", "prompt_tuning": "no", "baseline": "red"}


def rows(*methods: str, seeds: int = 2, documents: int = 8) -> Rows:
    """Answers that get worse with the document and the seed: `documents` of each method and seed."""
    return [
        {
            "id": f"q{place}",
            "source": f"What is red? {place}",
            "references": ["the red car", f"car {place}"],
            "prediction": " ".join([ANSWERS[method], *["oh"] * (place * (seed + 1) % 5)]),
            "method": method,
            "seed": seed,
            "train_seconds": 10.0 + seed,
        }
        for method in methods
        for seed in range(1 if method == "baseline" else seeds)
        for place in range(documents)
    ]


def write(file: Path, content: Rows) -> str:
    table = pd.DataFrame(content)
    if file.suffix == ".parquet":
        table.to_parquet(file)
    elif file.suffix == ".csv":
        listed = table["references"].map(json.dumps)
        table.assign(references=listed).to_csv(file, index=False)
    else:
        file.write_text("\n".join(map(json.dumps, content)))
    return str(file)


def brought(folder: Path, *files: str, **task: str | None) -> dict[str, Any]:
    """The verdict of a folder into which files were brought."""
    bring(list(files), str(folder), columns=Columns(), task=QA | task)
    return asdict(verdict(load_results(folder)))


@pytest.fixture
def swept(finished: Planted) -> Planted:
    """A sweep that has ended, with the scores that its predictions have."""
    finished.sweep(SWEEP.replace("data: some/dialogues", "data: some/dialogues\n  type: question_answering"))
    task = load_results(finished.root).sweep.task
    for record in finished.folder.read_records():
        if record.phase == "final":
            mine = [r for r in rows(record.method, seeds=3) if r["seed"] == record.number]
            examples = [Example(r["id"], r["source"], "", tuple(r["references"])) for r in mine]
            table, scores = score(task, examples, [r["prediction"] for r in mine])
            rung = record.rungs[-1].model_copy(update={"score": scores["f1"], "scores": scores})
            finished.folder.write_record(record.model_copy(update={"rungs": [rung]}))
            finished.predictions(record, table.to_dict("records"))
    return finished


def written_out(planted: Planted) -> Rows:
    """All predictions of its final, with what each run cost."""
    results = load_results(planted.root)
    return [
        {key: row[key] for key in ("id", "source", "references", "prediction")}
        | {"method": run.method, "seed": run.seed, "train_seconds": run.train_seconds}
        | {"trainable_parameters": run.trainable_parameters, "adapter_bytes": run.adapter_bytes}
        | {"peak_memory_bytes": run.peak_memory_bytes, "trainable_percent": run.trainable_percent}
        for run in results.finals.itertuples()
        for row in results.predictions(run.method, run.seed).to_dict("records")
    ]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_a_sweep_wrote_has_the_same_verdict_when_it_is_read_back(
    ending: str, swept: Planted, tmp_path: Path
) -> None:
    own = asdict(verdict(load_results(swept.root)))
    again = brought(tmp_path / "back", write(tmp_path / f"own.{ending}", written_out(swept)))
    for method in own["methods"]:
        method["costs"].pop("search_seconds", None)
    assert repr(again["methods"]) == repr(own["methods"])
    for part in ("pairs", "lead", "documents", "uncompared", "summary"):
        assert repr(again[part]) == repr(own[part]), part
    assert len(again["pairs"]) == 6
    assert list(verify(tmp_path / "back")) == []


def test_names_seeds_and_columns_may_be_any(tmp_path: Path) -> None:
    """Other names, seeds 7 and 42, sources in the place of ids, a column a reference, two files."""
    content = rows("full", "lora")
    names = {"full": "BART (large)", "lora": "BART/large"}
    odd = [
        {"text": r["source"], "gold1": r["references"][0], "gold2": r["references"][1]}
        | {"prediction": r["prediction"], "method": names[r["method"]], "seed": (42, 7)[r["seed"]]}
        for r in content
    ]
    first = write(tmp_path / "a.jsonl", [r for r in odd if r["method"] == "BART (large)"])
    bare = [{key: r[key] for key in ("text", "prediction", "method", "seed")} for r in odd]
    second = write(tmp_path / "b.jsonl", [r for r in bare if r["method"] == "BART/large"])
    columns = Columns.parsed(["source=text", "references=gold"])
    bring([first, second], str(tmp_path / "odd"), columns=columns, task=QA)
    plain = brought(tmp_path / "plain", write(tmp_path / "plain.jsonl", content))
    results = load_results(tmp_path / "odd")
    assert sorted({r.id for r in results.records}) == [
        "BART-large-2/seed-0", "BART-large-2/seed-1", "BART-large/seed-0", "BART-large/seed-1",
    ]  # fmt: skip
    assert [r.seed for r in results.records if r.method == "BART (large)"] == [7, 42]
    found = verdict(results)
    assert [m.method for m in found.methods] == [names[m["method"]] for m in plain["methods"]]
    for mine, theirs in zip(found.methods, plain["methods"], strict=True):
        assert asdict(mine.score) == pytest.approx(theirs["score"])
    assert [pair.effect for pair in found.pairs] == pytest.approx([pair["effect"] for pair in plain["pairs"]])


def test_scores_alone_are_a_table_without_tests(tmp_path: Path, tuneoff: Tuneoff) -> None:
    (tmp_path / "paper.csv").write_text(
        "method,seed,f1,train_seconds\nA,0,60,5\nA,1,62,7\nB,0,70,\nB,1,70,\n"
    )
    found = brought(tmp_path / "paper", str(tmp_path / "paper.csv"))
    assert (found["methods"], found["pairs"], found["recommendations"]) == ([], [], [])
    assert [(q["method"], q["scores"]["f1"], q["seeds"]) for q in found["quoted"]] == [
        ("B", 70, 2),
        ("A", 61, 2),
    ]
    assert found["quoted"][1]["costs"] == {"train_seconds": 6}
    assert "a table without tests" in found["summary"]
    assert list(verify(tmp_path / "paper")) == []
    alone = read(tmp_path / "paper").replace("Rows without an interval", "")
    write(tmp_path / "more.jsonl", rows("lora"))
    mixed = brought(tmp_path / "paper", str(tmp_path / "more.jsonl"))
    assert [m["method"] for m in mixed["methods"]] == ["lora"]
    assert any(
        note.startswith("Only scores of the whole corpus were imported of B and A") for note in mixed["notes"]
    )
    text = read(tmp_path / "paper")
    assert "| `B`    |                70.00 |" in text
    assert "interval" not in alone.partition("## Methods")[2].partition("##")[0]
    assert "Rows without an interval are scores that were imported without predictions." in text


def read(folder: Path) -> str:
    results = load_results(folder)
    found = verdict(results)
    return document(results, found, sections(results, found, []))


def test_a_report_on_imported_results_says_so_and_tells_of_no_search(tmp_path: Path) -> None:
    bring(
        [write(tmp_path / "out.jsonl", rows("full", "lora"))],
        str(tmp_path / "in"),
        columns=Columns(),
        task=QA,
    )
    results = load_results(tmp_path / "in")
    found = verdict(results)
    shared = sections(results, found, [])
    text, html = document(results, found, shared), page(results, found, shared, [])
    for report in (text, html):
        assert "Results of other tools" in report
        assert "What was imported" in report
        assert "tuned" not in report
    assert "Search" not in text
    assert 'id="search"' not in html
    assert "What was run" not in html
    assert "`out.jsonl` (32 rows, SHA-256" in text


def test_results_beside_a_sweep_are_compared_with_its_own(swept: Planted, tmp_path: Path) -> None:
    before = asdict(verdict(load_results(swept.root)))
    others = [{**row, "method": "theirs"} for row in rows("lora")]
    after = brought(Path(swept.root), write(tmp_path / "theirs.jsonl", others), type=None)
    assert _mean(after, "full") == pytest.approx(_mean(before, "full"))
    assert len(after["pairs"]) == 10
    text = read(Path(swept.root))
    assert "| `theirs` (imported) " in text
    assert "> Imported, and not run by tuneoff: `theirs`." in text
    assert "Seeds finished" not in text
    assert "theirs" not in text.partition("## What tuning brought")[2].partition("## Degenerate")[0]
    assert "- Imported `" in text.partition("## What was run")[2]


def _mean(found: dict[str, Any], name: str) -> float:
    mean: float = next(m["score"]["mean"] for m in found["methods"] if m["method"] == name)
    return mean


def test_nothing_can_be_run_of_imported_results(tmp_path: Path, tuneoff: Tuneoff) -> None:
    folder = tmp_path / "in"
    bring([write(tmp_path / "out.jsonl", rows("full"))], str(folder), columns=Columns(), task=QA)
    for command in (("resume", str(folder)), ("run", str(folder / "sweep.yaml"))):
        code, _, error = tuneoff(*command)
        assert code == 2
        assert "imported" in error
    with pytest.raises(InputError, match="nothing to run"):
        run(load_results(folder).sweep, folder)


def _without(content: Rows, key: str) -> Rows:
    return [{name: value for name, value in row.items() if name != key} for row in content]


def _changed(content: Rows, place: int, **changes: Any) -> Rows:
    return [{**row, **changes} if at == place else row for at, row in enumerate(content)]


BOTH = rows("full", "lora")
REFUSED: dict[str, tuple[Rows, str]] = {
    "an example missing": (
        BOTH[:-1],
        r"a\.jsonl: 'lora' with seed 1 lacks 1 example \('q7'\) that 'full' with",
    ),
    "an example more": (
        [*BOTH, {**BOTH[-1], "id": "q99"}],
        r"'lora' with seed 1 has 1 example \('q99'\) that 'full' with seed 0 has not",
    ),
    "a row twice": (
        [*BOTH, BOTH[20]],
        r"row 33: a second prediction of 'lora', seed 0, for the example 'q4'; the first is in .*row 21",
    ),
    "another reference": (
        _changed(BOTH, 9, references=["a bus"]),
        r"row 10: the references of the example 'q1' are not what .*row 2 has",
    ),
    "another source": (_changed(BOTH, 9, source="?"), "row 10: the source of the example 'q1' is not what"),
    "no seed": (_changed(BOTH, 3, seed=None), "row 4, column 'seed', is empty: a seed is a whole number"),
    "a seed that is none": (
        _changed(BOTH, 3, seed=1.5),
        "row 4, column 'seed', holds 1.5: a seed is a whole",
    ),
    "no prediction": (_changed(BOTH, 3, prediction=None), "row 4, column 'prediction', is missing"),
    "a list for a prediction": (_changed(BOTH, 3, prediction=["a"]), "row 4, column 'prediction', holds"),
    "no reference": (_changed(BOTH, 3, references=[" "]), "row 4, column 'references', is empty"),
    "a null reference": (
        _changed(BOTH, 3, references=["a", None]),
        "row 4, column 'references' must hold a text",
    ),
    "no method": (_changed(BOTH, 3, method=" "), "row 4, column 'method', holds ' ': it must hold a text"),
    "a method of two lines": (
        _changed(BOTH, 3, method="a\nb"),
        "row 4, column 'method': a method's name is one",
    ),
    "a cost that differs": (
        _changed(BOTH, 3, train_seconds=11),
        "row 4, column 'train_seconds', holds 11, and .*row 1 10: a cost is that of a whole run",
    ),
    "a cost that is none": (
        _changed(BOTH, 3, train_seconds="1 s"),
        "row 4, column 'train_seconds', holds '1 s'",
    ),
    "no ids": (_without(_without(BOTH, "id"), "source"), "neither a column 'id' nor 'source'"),
    "no predictions": (
        _without(BOTH, "prediction"),
        "neither a column 'prediction' nor one of the score 'f1'",
    ),
    "no references": (_without(BOTH, "references"), "The example 'q0' has no references"),
    "two untrained models": (
        [*rows("baseline"), *[{**row, "seed": 1} for row in rows("baseline")]],
        "row 9: 'baseline' is the untrained model, which has one seed; .*row 1 is of seed 0",
    ),
}


@pytest.mark.parametrize(("content", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_told_with_file_row_and_column(
    content: Rows, told: str, tmp_path: Path, tuneoff: Tuneoff
) -> None:
    file = write(tmp_path / "a.jsonl", content)
    code, _, error = tuneoff("import", file, "--into", str(tmp_path / "in"), "--type", "question_answering")
    assert code == 2
    assert re.search(told, error), error
    assert not (tmp_path / "in").exists()


def test_what_contradicts_the_folder_is_refused(swept: Planted, tmp_path: Path) -> None:
    folder = Path(swept.root)
    own, others = rows("lora"), [{**row, "method": "theirs"} for row in rows("lora")]
    with pytest.raises(InputError, match=r"'lora' is the name of a method in .*another name"):
        brought(folder, write(tmp_path / "own.jsonl", own), type=None)
    with pytest.raises(InputError, match=r"lacks 1 example .'q7'. that the run folder has"):
        brought(folder, write(tmp_path / "few.jsonl", [r for r in others if r["id"] != "q7"]), type=None)
    with pytest.raises(InputError, match=r"--type summarization: .* is of type question_answering"):
        brought(folder, write(tmp_path / "t.jsonl", others), type="summarization")
    brought(folder, write(tmp_path / "t.jsonl", others), type=None)
    with pytest.raises(InputError, match="holds 'theirs' with seed 0 already"):
        brought(folder, str(tmp_path / "t.jsonl"), type=None)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("")
    with pytest.raises(InputError, match="holds files and is no run folder"):
        brought(tmp_path / "other", str(tmp_path / "t.jsonl"))


def test_seeds_in_one_file_only_and_columns_that_no_file_has(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", rows("full"))
    second = write(tmp_path / "b.jsonl", _without(rows("lora", seeds=1), "seed"))
    with pytest.raises(InputError, match=r"b\.jsonl has no column 'seed', and .*a\.jsonl has one"):
        brought(tmp_path / "in", first, second)
    with pytest.raises(InputError, match=r"--column source=out: .* no such column; .* has 'id', 'source'"):
        bring([first], str(tmp_path / "in"), columns=Columns.parsed(["source=out"]), task=QA)
    for option, told in (("out", "is written MEANING=NAME"), ("predicted=a", "did you mean 'prediction'")):
        with pytest.raises(InputError, match=told):
            Columns.parsed([option])


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    content = [{**row, "rouge1": 3.0, "comment": "x"} for row in rows("full")]
    found = bring([write(tmp_path / "a.jsonl", content)], str(tmp_path / "in"), columns=Columns(), task=QA)
    (note,) = found.notes
    assert note.endswith("a.jsonl: not read: 'rouge1', 'comment'.")
