"""Methods on the same documents: their means, their differences, and how uncertain each is."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from search.statistics.corpus import Corpus
from search.statistics.randomisation import approximate_randomisation, randomised_corpora
from search.statistics.seeds import SeedSpread
from search.statistics.uncertain import Uncertain

Scores = NDArray[np.float64]


class Comparison:
    """A crossed design with random effects: score = method + seed + document + method x document + rest.

    Seeds and documents are both drawn at random, and both must be drawn anew in thought to say what
    another run of the study would find (Bouthillier et al., arXiv 2103.03098; Owen, "The pigeonhole
    bootstrap", 2007). As in a two-way analysis of variance the seeds' part is the spread of the seeds'
    means, the rest included, and the documents' part the spread of the documents' means without the rest:
    nothing counts twice. How the methods share the spread of their seeds: `SeedSpread`.

    A method with a single seed is told from no other: a test over documents alone takes the luck of a seed
    for a difference of methods, in 9 to 91 % of sweeps of equal methods (`benchmarks.statistics`), and other
    methods' seeds need not spread as its own would. Its mean has an interval, which borrows their spread
    where there is one and is over documents only where there is none.

    A score of the whole corpus enters this by what each document adds to it (`Corpus.influences`); where
    documents are drawn anew, or swapped, it is computed anew from its sums.

    Args:
        scores: method to points, (seeds, documents), or to a corpus of them; the documents are the same for
            all, in one order.
        fixed: methods that have no seed to draw, as the untrained model.
    """

    def __init__(self, scores: Mapping[str, Scores | Corpus], *, fixed: Collection[str] = ()) -> None:
        self.corpora = {method: corpus for method, corpus in scores.items() if isinstance(corpus, Corpus)}
        self.scores = {
            method: values.influences() if isinstance(values, Corpus) else np.asarray(values, dtype=float)
            for method, values in scores.items()
        }
        self.fixed = frozenset(fixed)
        self.by_document = {method: values.mean(axis=0) for method, values in self.scores.items()}
        seeded = [method for method in self.scores if self._varies(method)]
        self._rest = {m: _residual_variance(self.scores[m]) / self.scores[m].size for m in seeded}
        self.spread = SeedSpread({m: self.scores[m].mean(axis=1) for m in seeded})

    @property
    def methods(self) -> list[str]:
        """All methods, the highest mean first."""
        return sorted(self.scores, key=self.mean, reverse=True)

    @property
    def comparable(self) -> list[str]:
        """Methods that may be compared, the highest mean first: with two seeds or more, or none to draw."""
        return [method for method in self.methods if self._is_comparable(method)]

    def mean(self, method: str) -> float:
        return float(self.by_document[method].mean())

    def seed_sd(self, method: str) -> float:
        """Return the sample standard deviation of the seeds' means, in points; NaN with one seed."""
        means = self.scores[method].mean(axis=1)
        return float(means.std(ddof=1)) if len(means) > 1 else math.nan

    def estimate(self, method: str) -> Uncertain:
        """Estimate the method's mean, in points."""
        return self._uncertain(self.by_document[method], [method])

    def difference(self, method: str, other: str) -> Uncertain:
        """Estimate `method` minus `other` in points, paired by document; limits are NaN with one seed."""
        pair = [method, other]
        found = self._uncertain(self.by_document[method] - self.by_document[other], pair)
        return found if all(map(self._is_comparable, pair)) else replace(found, seeds_variance=math.nan)

    def draws(self, count: int, rng: np.random.Generator) -> Scores:
        """Draw means for new seeds and documents, (count, methods in the order of `scores`).

        Documents are resampled, the same for all methods, and with them the rest; by what seeds spread
        beyond the rest each method deviates by Student's t.
        """
        drawn = self._drawn_documents(count, rng)
        estimates = {method: self.estimate(method) for method in self.scores}
        beyond = [max(0, found.seeds_variance - self._rest.get(m, 0)) for m, found in estimates.items()]
        df = [max(found.seeds_df, 1) for found in estimates.values()]
        return drawn + np.sqrt(beyond) * rng.standard_t(df, drawn.shape)

    def randomised(
        self, pairs: Sequence[tuple[str, str]], rng: np.random.Generator, *, resamples: int = 9999
    ) -> Scores:
        """Test each pair by approximate randomisation over documents: two-sided p-values, (pairs,)."""
        if self.corpora:
            corpora = [(self.corpora[a], self.corpora[b]) for a, b in pairs]
            return randomised_corpora(corpora, rng, resamples=resamples)
        differences = np.stack([self.by_document[a] - self.by_document[b] for a, b in pairs])
        return approximate_randomisation(differences, rng, resamples=resamples)

    def _drawn_documents(self, count: int, rng: np.random.Generator) -> Scores:
        """Draw means over documents resampled with replacement, (count, methods)."""
        means = np.stack(list(self.by_document.values()))
        documents = means.shape[1]
        if documents == 1:
            return np.repeat(means.T, count, axis=0)
        if self.corpora:
            counts = rng.multinomial(documents, np.full(documents, 1 / documents), size=count).astype(float)
            return np.stack([corpus.resampled(counts) for corpus in self.corpora.values()], axis=1)
        return means[:, rng.integers(0, documents, (count, documents))].mean(axis=-1).T

    def _uncertain(self, by_document: Scores, methods: list[str]) -> Uncertain:
        count = len(by_document)
        drawn = {method: len(self.scores[method]) for method in methods if method not in self.fixed}
        seeds_variance, seeds_df = self.spread.of(drawn)
        spread = float(by_document.var(ddof=1)) / count if count > 1 else math.nan
        return Uncertain(
            value=float(by_document.mean()),
            seeds_variance=seeds_variance,
            seeds_df=seeds_df,
            documents_variance=float(np.maximum(spread - sum(self._rest.get(m, 0) for m in drawn), 0)),
            documents_df=count - 1,
        )

    def _is_comparable(self, method: str) -> bool:
        return method in self.fixed or len(self.scores[method]) > 1

    def _varies(self, method: str) -> bool:
        seeds, documents = self.scores[method].shape
        known = bool(np.isfinite(self.scores[method]).all())
        return known and method not in self.fixed and seeds > 1 and documents > 1


def _residual_variance(scores: Scores) -> float:
    """Return the interaction's mean square: variance that neither seed nor document explains."""
    seeds, documents = scores.shape
    rest = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()
    return float((rest**2).sum()) / ((seeds - 1) * (documents - 1))
