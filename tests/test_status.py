"""One file lists the statuses of a trial: each has all it needs there, and no other file spells them."""

import ast
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.trial import TrialState
from rich.style import Style

from search.records import Record
from search.report.charts import FATE_COLOURS
from tests.test_architecture import ROOT, files
from trainables.status import Status

UNAMBIGUOUS = {Status.COMPLETED, Status.DIVERGED, Status.OUT_OF_MEMORY}
"""Words that mean a status wherever they stand alone; others are headings and events too."""


@pytest.mark.parametrize("status", Status)
def test_a_status_has_all_that_it_needs(status: Status) -> None:
    facts = status.facts
    assert facts.title
    assert facts.reason
    Style.parse(facts.colour)  # raises where rich knows no such colour
    assert facts.fate in FATE_COLOURS
    assert TrialState[facts.optuna_state].is_finished() == status.has_ended
    assert (facts.colour == "red") == facts.has_failed
    assert status.has_ended or not (facts.has_failed or facts.tells_quality)


@pytest.mark.parametrize("status", Status)
def test_a_status_is_its_word_in_json_and_to_another_process(status: Status) -> None:
    assert json.loads(json.dumps(status)) == f"{status}" == status.value
    assert pickle.loads(pickle.dumps(status)) is status
    assert Record.model_fields["status"].annotation is Status


def test_it_is_known_what_follows_from_each() -> None:
    assert {s.value for s in Status if s.facts.has_failed} == {"diverged", "out_of_memory", "failed"}
    assert {s.value for s in Status if s.facts.tells_quality} == {"completed", "stopped", "diverged"}
    assert {s.value: s.facts.optuna_state for s in Status} == {
        "running": "RUNNING",
        "paused": "RUNNING",
        "completed": "COMPLETE",
        "stopped": "PRUNED",
        "diverged": "PRUNED",
        "out_of_memory": "PRUNED",
        "failed": "FAIL",
    }


def spelled(source: str) -> list[str]:
    """Status words in a source: those that mean nothing else, those compared with, or given as, a status."""
    return [
        f"line {word.lineno}: {word.value!r}"
        for node in ast.walk(ast.parse(source))
        for word in _words(node)
        if isinstance(word, ast.Constant) and word.value in tuple(Status)
    ]


def _words(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant() if node.value in UNAMBIGUOUS:
            yield node
        case ast.Compare() if any(_is_status(part) for part in (node.left, *node.comparators)):
            yield from (part for side in (node.left, *node.comparators) for part in ast.walk(side))
        case ast.keyword() if node.arg == "status":
            yield node.value
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            yield from (
                value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "status"
            )


def _is_status(node: ast.AST) -> bool:
    match node:
        case ast.Attribute():
            return node.attr == "status"
        case ast.Name():
            return node.id == "status"
        case ast.Subscript(slice=ast.Constant()):
            return "status" in str(node.slice.value)  # type: ignore[attr-defined]
    return False


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("x = 'diverged'", 1),
        ("record.status in ('stopped', 'failed')", 2),
        ("row['default_status'] != 'running'", 1),
        ("Record(status='failed')", 1),
        ("{'status': 'running'}", 1),
        ("print(f'{name} failed'); columns = ['stopped']; event == 'failed'", 0),
    ],
)
def test_spelled_words_are_found(source: str, count: int) -> None:
    assert len(set(spelled(source))) == count


@pytest.mark.parametrize(
    "file", [file for file in files("search", "trainables", "benchmarks") if file != "trainables/status.py"]
)
def test_no_other_file_spells_a_status(file: str) -> None:
    assert spelled(Path(ROOT / file).read_text(encoding="utf-8")) == []
