"""BLEU, chrF and macro F1 of a corpus, from counts of its documents: what the reference programs compute."""

import random
from itertools import zip_longest
from statistics import mean

import numpy as np
import pytest
import sacrebleu

from trainables import metrics
from trainables.metrics import bleu, chrf
from trainables.metrics.labels import macro_f1

WORDS = ["der", "Hund", "die", "Katze", "läuft", "schläft,", "3.5", "und", "Tom's", "."]
SCIKIT_LEARN = (55.686918445539135, 41.54399280934785, 46.57567049808429)
"""100 times scikit-learn 1.9.1's `f1_score(gold, predicted, average="macro")`, 60 documents of each seed."""
LABELS = ("calm", "glad", "sad", "cross")


def texts(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randrange(12))) for _ in range(count)]


def nearly(predictions: list[str], seed: int, most: int) -> list[list[str]]:
    """References that share much with the predictions, 1 to `most` of each."""
    chance = random.Random(seed)
    return [
        [
            " ".join(word for word in text.split() if chance.random() < 0.9) + " ende"
            for _ in range(chance.randint(1, most))
        ]
        for text in predictions
    ]


def streams(references: list[list[str]]) -> list[tuple[str | None, ...]]:
    """As sacrebleu takes them: the first of each document, the second of each, ..."""
    return list(zip_longest(*references))


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_corpus_scores_are_sacrebleus(seed: int, most: int) -> None:
    predictions = texts(40, seed)
    references = nearly(predictions, seed, most)
    found = metrics.of_corpus(
        metrics.measure(["bleu", "chrf"], predictions, references, metrics.Rules("all"))
    )
    assert found["bleu"] == pytest.approx(
        sacrebleu.corpus_bleu(predictions, streams(references)).score, abs=1e-9
    )
    assert found["chrf"] == pytest.approx(
        sacrebleu.corpus_chrf(predictions, streams(references)).score, abs=1e-9
    )
    assert 5 < found["bleu"] < 95
    columns = metrics.measure(["bleu"], predictions, references, metrics.Rules("all"))
    assert found["bleu"] != pytest.approx(mean(columns["bleu"]), abs=0.5)


@pytest.mark.parametrize("seed", range(3))
def test_a_documents_own_scores_are_sacrebleus_of_the_sentence(seed: int) -> None:
    predictions = texts(20, seed)
    references = nearly(predictions, seed, 2)
    columns = metrics.measure(["bleu", "chrf"], predictions, references, metrics.Rules("all"))
    for place, (text, row) in enumerate(zip(predictions, references, strict=True)):
        assert columns["bleu"][place] == pytest.approx(sacrebleu.sentence_bleu(text, row).score, abs=1e-9)
        assert columns["chrf"][place] == pytest.approx(sacrebleu.sentence_chrf(text, row).score, abs=1e-9)


@pytest.mark.parametrize("tokenizer", ["13a", "intl", "char", "zh", "none"])
def test_the_tokenizer_is_the_one_named(tokenizer: str) -> None:
    predictions, references = ["我爱你们。Gut, ja!"] * 2, [["我爱你。Gut, nein!"]] * 2
    rules = metrics.Rules("all", bleu_tokenizer=tokenizer)
    found = metrics.of_corpus(metrics.measure(["bleu"], predictions, references, rules))
    expected = sacrebleu.corpus_bleu(predictions, streams(references), tokenize=tokenizer).score
    assert found["bleu"] == pytest.approx(expected, abs=1e-9)


def test_bleu_of_any_sums_is_sacrebleus() -> None:
    """Counts without a match at some orders, without an n-gram, shorter and longer than the reference."""
    rng = np.random.default_rng(0)
    totals = np.sort(rng.integers(0, 6, (500, 4)), axis=1)[:, ::-1]
    matches = np.minimum(totals, rng.integers(0, 4, totals.shape))
    lengths = np.stack([totals[:, 0], rng.integers(0, 9, len(totals))], axis=1)
    expected = [
        sacrebleu.BLEU.compute_bleu(m.tolist(), t.tolist(), int(a), int(b), smooth_method="exp").score
        for m, t, (a, b) in zip(matches, totals, lengths, strict=True)
    ]
    found = bleu.of_sums(np.concatenate([lengths, matches, totals], axis=1).astype(float))
    assert found == pytest.approx(expected, abs=1e-9)
    assert bleu.of_sums(np.zeros((2, 3, 10))).tolist() == [[0.0] * 3] * 2


def test_chrf_of_any_sums_is_sacrebleus() -> None:
    rng = np.random.default_rng(0)
    output, reference = rng.integers(0, 4, (2, 500, 6))
    both = np.minimum(np.minimum(output, reference), rng.integers(0, 4, output.shape))
    sums = np.stack([output, reference, both], axis=2).reshape(500, 18)
    expected = [sacrebleu.CHRF()._compute_f_score(row.tolist()) for row in sums]
    assert chrf.of_sums(sums.astype(float)) == pytest.approx(expected, abs=1e-9)


def test_signatures_are_sacrebleus() -> None:
    metric = sacrebleu.BLEU()
    metric.corpus_score(["a"], [["a"], ["b"]])
    rules = metrics.Rules("all")
    assert metrics.signature("bleu", rules, 2) == f"sacrebleu {metric.get_signature()}"
    assert "nrefs:var" in metrics.signature("chrf", rules, None)
    assert "tok:char" in metrics.signature("bleu", metrics.Rules("all", bleu_tokenizer="char"), 1)


def macro_f1_by_hand(predicted: list[str], gold: list[str]) -> float:
    """The definition, a label at a time."""
    scores = []
    for label in sorted({*predicted, *gold}):
        right = sum(p == g == label for p, g in zip(predicted, gold, strict=True))
        precision = right / predicted.count(label) if label in predicted else 0.0
        recall = right / gold.count(label) if label in gold else 0.0
        scores.append(2 * precision * recall / (precision + recall) if right else 0.0)
    return 100 * mean(scores)


@pytest.mark.parametrize("count", [1, 5, 60])
@pytest.mark.parametrize("seed", range(3))
def test_label_scores_are_those_of_the_definitions(seed: int, count: int) -> None:
    chance = random.Random(seed)
    gold = chance.choices(LABELS, weights=[9, 4, 1, 1], k=count)
    predicted = [chance.choice([label, *LABELS[:3]]) for label in gold]
    columns = metrics.measure(["labels"], predicted, [[g] for g in gold], metrics.Rules("max", LABELS))
    found = metrics.of_corpus(columns)
    assert found["accuracy"] == pytest.approx(
        100 * mean(p == g for p, g in zip(predicted, gold, strict=True))
    )
    assert found["macro_f1"] == pytest.approx(macro_f1_by_hand(predicted, gold))
    if count == 60:
        assert found["macro_f1"] == pytest.approx(SCIKIT_LEARN[seed])


def test_macro_f1_of_nothing_is_nothing() -> None:
    assert macro_f1(np.zeros((2, 6))).tolist() == [0.0, 0.0]
