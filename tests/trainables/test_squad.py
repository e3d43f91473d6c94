"""Exact match and F1 of answers, held against results of the script that SQuAD published (v1.1)."""

import pytest

from trainables import metrics
from trainables.metrics.squad import normalised

OFFICIAL = [
    # prediction, gold answers, exact match, F1
    ("Denver Broncos", ["Denver Broncos", "The Broncos"], 100, 100),
    ("the Denver  broncos!", ["Denver Broncos"], 100, 100),
    ("Broncos", ["Denver Broncos", "Carolina"], 0, 200 / 3),
    ("a b c d", ["b c"], 0, 80),
    ("in in 1998", ["in 1998 in May"], 0, 600 / 7),
    ("308", ["3:08"], 100, 100),
    ("well-known", ["well known"], 0, 0),
    ("An apple a day", ["apple day"], 100, 100),
    ("Zoë\u2019s", ["Zoë's"], 0, 0),
    ("", ["something"], 0, 0),
    ("the", ["a"], 100, 0),
]
"""Printed by the script for these pairs; its F1 of two answers without words is 0."""


@pytest.mark.parametrize(("prediction", "golds", "exact_match", "f1"), OFFICIAL)
def test_the_scores_are_the_scripts(prediction: str, golds: list[str], exact_match: float, f1: float) -> None:
    columns = metrics.measure(["squad"], [prediction], [golds], metrics.Rules("max"))
    assert columns == {"exact_match": [exact_match], "f1": [pytest.approx(f1)]}


def test_the_corpus_is_the_mean() -> None:
    predictions, golds = [row[0] for row in OFFICIAL], [row[1] for row in OFFICIAL]
    found = metrics.of_corpus(metrics.measure(["squad"], predictions, golds, metrics.Rules("max")))
    assert found["exact_match"] == pytest.approx(sum(row[2] for row in OFFICIAL) / len(OFFICIAL))
    assert found["f1"] == pytest.approx(sum(row[3] for row in OFFICIAL) / len(OFFICIAL))


def test_an_answer_is_normalised() -> None:
    assert normalised(" The (U.S.)  a\tTheory, an Island\n") == "us theory island"
