import sys

import pytest

from search.config.sweep import Sweep
from search.records.provenance import PACKAGES, note_joined, note_placement, note_resumption, provenance
from tests.search.conftest import PROVENANCE
from trainables.data import Data, Example


@pytest.fixture
def found(bare):
    example = Example(id="train-0", source="a", prompt="a", references=("b",))
    sweep = Sweep.from_yaml(bare.folder.sweep_file.read_text())
    return provenance(sweep, Data([example] * 3, [example], [example] * 2, ["a note"]), [1, 3, 9])


def test_it_holds_all_that_the_report_reads(found):
    assert found.keys() >= PROVENANCE.keys()
    for topic in ("hardware", "data", "budget", "metric"):
        assert found[topic].keys() >= PROVENANCE[topic].keys() - {"gpus"}


def test_it_says_what_was_trained_on_and_how_much(found):
    assert found["data"]["counts"] == {"train": 3, "validation": 1, "test": 2}
    assert found["data"]["notes"] == ["a note"]
    assert len(found["data"]["fingerprint"]) == 16
    assert found["budget"] == {"examples": 9, "rungs": [1, 3, 9]}


def test_it_names_the_version_of_every_package_that_could_change_a_result(found):
    assert set(found["versions"]) == set(PACKAGES)
    assert {found["versions"][package] for package in ("torch", "transformers", "peft")} & {None} == set()
    for package in ("ray", "optuna", "numpy", "pandas"):  # those that need no seconds to import
        assert found["versions"][package] == __import__(package).__version__


def test_what_is_noted_of_a_start_stands_beside_what_was_known(bare):
    note_placement(bare.folder, differences=["torch 0.9 on 10.0.0.1"])
    note_joined(bare.folder, "torch 0.8 on 10.0.0.2")
    note_placement(bare.folder, gpus_per_trial=0.5)
    note_resumption(bare.folder)
    found = bare.folder.read_provenance()
    differences = ["torch 0.9 on 10.0.0.1", "torch 0.8 on 10.0.0.2"]
    assert found["placement"] == {"gpus_per_trial": 0.5, "differences": differences}
    assert [set(PROVENANCE) & set(start) for start in found["resumed"]] == [
        {"tuneoff", "command", "started", "versions", "hardware"}
    ]
    assert {name: found[name] for name in PROVENANCE} == PROVENANCE


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["/usr/bin/tuneoff", "run", "my sweep.yaml", "--set", "seed=1"],
         "tuneoff run 'my sweep.yaml' --set seed=1"),
        (["/usr/bin/pytest", "-q"], "tuneoff run sweep.yaml"),
    ],
)  # fmt: skip
def test_it_says_what_was_typed(bare, monkeypatch, typed, expected):
    monkeypatch.setattr(sys, "argv", typed)
    sweep = Sweep.from_yaml(bare.folder.sweep_file.read_text())
    assert provenance(sweep, Data([], [], []), [1])["command"] == expected


def test_it_names_the_labels_that_a_classification_picks_from(bare):
    sweep = Sweep.from_yaml(bare.folder.sweep_file.read_text())
    task = sweep.task.model_copy(update={"type": "classification", "metric": "accuracy"})
    data = Data([], [], [], labels=("no", "yes"))
    found = provenance(sweep.model_copy(update={"task": task}), data, [1])
    assert found["data"]["labels"] == ["no", "yes"]
