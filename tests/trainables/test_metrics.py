"""ROUGE as the rouge_score package gives it, one score an example, without a network."""

import socket
import subprocess
import sys
from importlib import import_module
from statistics import mean
from typing import Any

import pytest
from rouge_score.rouge_scorer import RougeScorer

from trainables import metrics
from trainables.metrics import rouge

NAMES = list(rouge.SCORES)
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


def per_example(predictions: list[str], references: list[list[str]], combine: Any) -> Any:
    return metrics.measure(["rouge"], predictions, references, metrics.Rules(references=combine))


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
    scores = per_example(PREDICTIONS, REFERENCES, combine)
    expected = by_hand(function)
    assert list(scores) == NAMES
    for name in NAMES:
        assert scores[name] == pytest.approx(expected[name], abs=1e-12), name


def test_mean_and_max_differ_where_there_are_several_references() -> None:
    means = per_example(PREDICTIONS, REFERENCES, "mean")["rouge1"]
    best = per_example(PREDICTIONS, REFERENCES, "max")["rouge1"]
    assert [a < b for a, b in zip(means, best, strict=True)] == [len(texts) > 1 for texts in REFERENCES]


def test_words_are_stemmed() -> None:
    scores = per_example(["lamps were looked"], [["lamp were looking"]], "mean")
    assert scores["rouge1"] == [100.0]


def test_lsum_compares_sentences_and_l_the_whole() -> None:
    prediction, reference = "He came. She left. They ate.", "They ate. He came. She left."
    scores = per_example([prediction], [[reference]], "mean")
    assert scores["rougeLsum"] == [100.0]
    assert scores["rougeL"][0] < 100.0


@pytest.mark.parametrize("prediction", ["", "  ", "...", "\n"])
def test_a_prediction_without_words_scores_nothing(prediction: str) -> None:
    scores = per_example([prediction, "a cat"], [["a cat"], ["a cat"]], "max")
    assert scores == {name: [0.0, 100.0] for name in NAMES if name != "rouge2"} | {"rouge2": [0.0, 100.0]}


def test_the_same_texts_score_the_same_again_and_in_another_order() -> None:
    once = per_example(PREDICTIONS, REFERENCES, "mean")
    turned = per_example(PREDICTIONS[::-1], REFERENCES[::-1], "mean")
    assert {name: values[::-1] for name, values in turned.items()} == once


def test_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    rouge.load.cache_clear()
    assert per_example(["a cat"], [["a cat"]], "mean")["rougeL"] == [100.0]


def test_every_score_has_one_metric_and_a_name_in_print() -> None:
    assert metrics.scores() == {
        name: metric
        for metric in metrics.available()
        for name in import_module(f"trainables.metrics.{metric}").SCORES
    }
    printed = [metrics.label(name) for name in ("rougeLsum", "bleu", "chrf", "exact_match", "f1", "macro_f1")]
    assert printed == ["ROUGE-Lsum", "BLEU", "chrF", "EM", "F1", "Macro F1"]
    assert len(set(map(metrics.label, metrics.scores()))) == len(metrics.scores())


@pytest.mark.parametrize("metric", metrics.available())
def test_every_metric_says_how_it_is_computed(metric: str) -> None:
    rules = metrics.Rules(metrics.references(metric)[0], ("a", "b"), module="meteor")
    assert metrics.signature(metric, rules, 1)


@pytest.mark.parametrize("metric", [name for name in metrics.available() if name != "evaluate"])
def test_every_metric_gives_what_its_corpus_scores_are_made_of(metric: str) -> None:
    rules = metrics.Rules(metrics.references(metric)[0], ("yes", "no"))
    columns = metrics.measure([metric], ["yes", "no", "yes"], [["yes"], ["yes"], ["no"]], rules)
    scores = import_module(f"trainables.metrics.{metric}").SCORES
    corpora = {metrics.statistics_column(name) for name, score in scores.items() if score.of_sums}
    assert set(columns) == {*scores, *corpora}
    assert {len(column) for column in columns.values()} == {3}
    assert all(0 <= value < 100 + 1e-9 for name in scores for value in columns[name])
    assert metrics.of_corpus(columns).keys() == scores.keys()


def test_to_know_the_scores_loads_nothing_that_computes_them() -> None:
    code = (
        "import sys; from trainables import metrics; metrics.scores(); "
        "print(*{'torch', 'datasets', 'evaluate', 'rouge_score', 'sacrebleu'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
