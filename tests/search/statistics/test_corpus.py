"""Scores of a whole corpus in the statistics: intervals, draws and tests from sums that are computed anew."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from search.statistics.comparison import Comparison
from search.statistics.corpus import Corpus, Values
from search.statistics.randomisation import approximate_randomisation, randomised_corpora
from search.verdict.judge import compare
from trainables.metrics import bleu, get

of_macro_f1 = get("macro_f1").of_sums


def mean_of_sums(sums: Values) -> Values:
    """A mean over documents as a function of sums: of the scores, and of ones."""
    return np.divide(sums[..., 0], sums[..., 1])


def as_corpus(scores: Values) -> Corpus:
    return Corpus(np.stack([scores, np.ones_like(scores)], axis=-1), mean_of_sums)


def translations(seeds: int, documents: int, quality: float, rng: np.random.Generator) -> Corpus:
    """Counts as BLEU has them: outputs of 5 to 20 words, a share `quality` of their n-grams matching."""
    length = rng.integers(5, 21, (1, documents, 1)) + rng.integers(-1, 2, (seeds, documents, 1))
    totals = np.maximum(length - np.arange(4), 0)
    ease = rng.beta(4, 4, (1, documents, 1))
    matches = rng.binomial(totals, np.clip(quality * ease * 2, 0, 1) ** np.arange(1, 5))
    return Corpus(np.concatenate([length, length + 1, matches, totals], axis=2).astype(float), bleu.of_sums)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_of_a_mean_over_documents_the_influences_are_the_scores(rng: np.random.Generator) -> None:
    scores = rng.normal(30, 10, (3, 40))
    assert as_corpus(scores).influences() == pytest.approx(scores)


def test_a_mean_gives_the_same_comparison_either_way(rng: np.random.Generator) -> None:
    scores = {name: rng.normal(30 + i, 8, (3, 50)) for i, name in enumerate("abc")}
    plain = Comparison(scores, fixed={"c"})
    corpora = Comparison({name: as_corpus(values) for name, values in scores.items()}, fixed={"c"})
    assert corpora.methods == plain.methods
    for method in plain.methods:
        assert corpora.estimate(method).interval() == pytest.approx(plain.estimate(method).interval())
    assert corpora.difference("a", "b").p_value() == pytest.approx(plain.difference("a", "b").p_value())
    for one, other in zip(
        compare(plain, np.random.default_rng(1)), compare(corpora, np.random.default_rng(1)), strict=True
    ):
        assert (one.better, one.worse, one.significant) == (other.better, other.worse, other.significant)
        assert other.p_documents == pytest.approx(one.p_documents)
        assert other.p_corrected == pytest.approx(one.p_corrected)


def test_the_mean_is_the_corpus_score_and_not_that_of_the_documents(rng: np.random.Generator) -> None:
    corpus = translations(3, 200, 0.6, rng)
    whole = bleu.of_sums(corpus.statistics.sum(axis=1))
    comparison = Comparison({"a": corpus})
    assert comparison.mean("a") == pytest.approx(whole.mean())
    assert comparison.seed_sd("a") == pytest.approx(whole.std(ddof=1))
    assert abs(bleu.of_sums(corpus.statistics).mean() - whole.mean()) > 1


@pytest.mark.parametrize("quality", [0.2, 0.6, 0.9])
def test_the_spread_over_documents_is_that_of_a_bootstrap(quality: float, rng: np.random.Generator) -> None:
    """Documents drawn anew by scipy, the score computed anew from each draw's sums."""
    corpus = translations(1, 300, quality, rng)

    columns = tuple(corpus.statistics[0].T)
    drawn = bootstrap(
        columns,
        lambda *rows, axis: bleu.of_sums(np.stack([row.sum(axis=axis) for row in rows], axis=-1)),
        paired=True,
        vectorized=True,
        n_resamples=3000,
        method="percentile",
        rng=rng,
    )
    estimate = Comparison({"a": corpus}).estimate("a")
    assert estimate.documents_variance**0.5 == pytest.approx(drawn.standard_error, rel=0.1)
    assert estimate.interval() == pytest.approx(
        tuple(drawn.confidence_interval), abs=0.35 * drawn.standard_error
    )


def test_macro_f1_too(rng: np.random.Generator) -> None:
    gold, predicted = rng.integers(0, 3, (2, 400))
    predicted = np.where(rng.random(400) < 0.7, gold, predicted)
    labels = np.arange(3)
    right = (gold[:, None] == labels) & (predicted[:, None] == labels)
    counts = np.stack([right, predicted[:, None] == labels, gold[:, None] == labels], axis=2).reshape(400, 9)
    assert of_macro_f1 is not None
    corpus = Corpus(counts[None].astype(float), of_macro_f1)
    draws = corpus.resampled(rng.multinomial(400, np.full(400, 1 / 400), size=4000).astype(float))
    estimate = Comparison({"a": corpus}).estimate("a")
    assert estimate.value == pytest.approx(of_macro_f1(corpus.statistics.sum(axis=1))[0])
    assert estimate.documents_variance**0.5 == pytest.approx(draws.std(), rel=0.1)


def test_draws_take_the_documents_together_and_score_them_anew(rng: np.random.Generator) -> None:
    shared = translations(2, 150, 0.6, rng)
    better = Corpus(shared.statistics.copy(), bleu.of_sums)
    better.statistics[..., 2:6] = np.minimum(better.statistics[..., 2:6] + 1, better.statistics[..., 6:])
    comparison = Comparison({"a": shared, "b": better}, fixed={"a", "b"})
    draws = comparison.draws(2000, rng)
    assert draws.mean(axis=0) == pytest.approx([comparison.mean("a"), comparison.mean("b")], abs=0.5)
    assert draws.std(axis=0)[0] == pytest.approx(comparison.estimate("a").documents_variance ** 0.5, rel=0.1)
    apart = (draws[:, 1] - draws[:, 0]).std()
    assert apart == pytest.approx(comparison.difference("b", "a").documents_variance ** 0.5, rel=0.15)
    assert apart < draws.std(axis=0)[0] / 2


def by_hand(one: Corpus, other: Corpus, rng: np.random.Generator, resamples: int) -> float:
    """Riezler and Maxwell's algorithm, a document at a time."""
    a, b = one.statistics.mean(axis=0), other.statistics.mean(axis=0)

    def apart(x: Values, y: Values) -> float:
        return float(abs(one.of_sums(x.sum(axis=0)) - one.of_sums(y.sum(axis=0))))

    reached = 0
    for _ in range(resamples):
        swap = rng.random(len(a)) < 0.5
        x, y = a.copy(), b.copy()
        x[swap], y[swap] = b[swap], a[swap]
        reached += apart(x, y) >= apart(a, b) - 1e-9
    return (reached + 1) / (resamples + 1)


def test_the_randomisation_is_that_of_swapped_outputs(rng: np.random.Generator) -> None:
    one, other = translations(3, 80, 0.6, rng), translations(1, 80, 0.66, rng)
    (p,) = randomised_corpora([(one, other)], rng)
    assert p == pytest.approx(by_hand(one, other, rng, 2000), abs=0.04)
    assert 0.001 < p < 0.9


def test_of_a_mean_the_randomisation_is_the_usual_one() -> None:
    scores = np.random.default_rng(0).normal(30, 8, (2, 2, 60))
    corpora = [(as_corpus(scores[0]), as_corpus(scores[1]))]
    differences = (scores[0] - scores[1]).mean(axis=0)[None]
    usual = approximate_randomisation(differences, np.random.default_rng(3))
    assert randomised_corpora(corpora, np.random.default_rng(3)) == pytest.approx(usual)


def test_equal_outputs_are_never_apart(rng: np.random.Generator) -> None:
    corpus = translations(1, 30, 0.5, rng)
    assert randomised_corpora([(corpus, corpus)], rng).tolist() == [1.0]


@pytest.mark.slow
def test_intervals_cover_and_tests_keep_their_level() -> None:
    """Of 400 studies whose two methods do not differ in truth."""
    covered, rejected = [], []
    truth = Comparison({"a": translations(1, 200_000, 0.6, np.random.default_rng(0))}).mean("a")
    for seed in range(400):
        rng = np.random.default_rng([seed, 9])
        comparison = Comparison({"a": translations(1, 100, 0.6, rng), "b": translations(1, 100, 0.6, rng)})
        low, high = comparison.estimate("a").interval()
        covered.append(low <= truth <= high)
        rejected.append(comparison.randomised([("a", "b")], rng)[0] < 0.05)
    assert 0.91 <= np.mean(covered) <= 0.98
    assert np.mean(rejected) <= 0.08
