"""ROUGE as the rouge_score package gives it, one score an example, without a network."""

import socket
from statistics import mean
from typing import Any

import pytest
from rouge_score.rouge_scorer import RougeScorer

from trainables import metrics

NAMES = list(metrics.FAMILIES["rouge"])
PREDICTIONS = [
    "Ann is looking for the lamps. They were in the attic!",
    "Ben asks Ann",
    "the the the cat",
    "Überraschung: 3.5 km, e.g. walking. Dr. Who?  Yes.\nNo.",
    "Nothing in common",
]
REFERENCES = [
    ["Ann looks for a lamp. It was in the attic.", "They looked in attics! Ann found two lamps there."],
    ["Ann asks Ben."],
    ["the cat sat", "a cat", "the the dog"],
    ["Walked 3.5 km. Who? Dr. Who! No.", "Überraschung"],
    ["Something else altogether"],
]


def by_hand(combine: Any) -> dict[str, list[float]]:
    """The package used directly, sentences on lines of their own, split by hand."""
    scorer = RougeScorer(NAMES, use_stemmer=True)
    lines = {
        PREDICTIONS[0]: "Ann is looking for the lamps.\nThey were in the attic!",
        PREDICTIONS[3]: "Überraschung: 3.5 km, e.g.\nwalking.\nDr.\nWho?\nYes.\nNo.",
        REFERENCES[0][0]: "Ann looks for a lamp.\nIt was in the attic.",
        REFERENCES[0][1]: "They looked in attics!\nAnn found two lamps there.",
        REFERENCES[3][0]: "Walked 3.5 km.\nWho?\nDr.\nWho!\nNo.",
    }
    return {
        name: [
            100
            * combine(
                [
                    scorer.score(lines.get(text, text), lines.get(prediction, prediction))[name].fmeasure
                    for text in texts
                ]
            )
            for prediction, texts in zip(PREDICTIONS, REFERENCES, strict=True)
        ]
        for name in NAMES
    }


@pytest.mark.parametrize(("combine", "function"), [("mean", mean), ("max", max)])
def test_scores_are_the_packages_own(combine: Any, function: Any) -> None:
    scores = metrics.per_example("rouge", PREDICTIONS, REFERENCES, combine=combine)
    expected = by_hand(function)
    assert list(scores) == NAMES
    for name in NAMES:
        assert scores[name] == pytest.approx(expected[name], abs=1e-12), name


def test_mean_and_max_differ_where_there_are_several_references() -> None:
    means = metrics.per_example("rouge", PREDICTIONS, REFERENCES, combine="mean")["rouge1"]
    best = metrics.per_example("rouge", PREDICTIONS, REFERENCES, combine="max")["rouge1"]
    assert [a < b for a, b in zip(means, best, strict=True)] == [len(texts) > 1 for texts in REFERENCES]


def test_words_are_stemmed() -> None:
    scores = metrics.per_example("rouge", ["lamps were looked"], [["lamp were looking"]], combine="mean")
    assert scores["rouge1"] == [100.0]


def test_lsum_compares_sentences_and_l_the_whole() -> None:
    prediction, reference = "He came. She left. They ate.", "They ate. He came. She left."
    scores = metrics.per_example("rouge", [prediction], [[reference]], combine="mean")
    assert scores["rougeLsum"] == [100.0]
    assert scores["rougeL"][0] < 100.0


@pytest.mark.parametrize("prediction", ["", "  ", "...", "\n"])
def test_a_prediction_without_words_scores_nothing(prediction: str) -> None:
    scores = metrics.per_example("rouge", [prediction, "a cat"], [["a cat"], ["a cat"]], combine="max")
    assert scores == {name: [0.0, 100.0] for name in NAMES if name != "rouge2"} | {"rouge2": [0.0, 100.0]}


def test_the_same_texts_score_the_same_again_and_in_another_order() -> None:
    once = metrics.per_example("rouge", PREDICTIONS, REFERENCES, combine="mean")
    turned = metrics.per_example("rouge", PREDICTIONS[::-1], REFERENCES[::-1], combine="mean")
    assert {name: values[::-1] for name, values in turned.items()} == once


def test_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    metrics.load.cache_clear()
    assert metrics.per_example("rouge", ["a cat"], [["a cat"]], combine="mean")["rougeL"] == [100.0]
