"""The values of a verdict: plain numbers and sentences; method names stand as they are, without markup."""

from dataclasses import dataclass
from typing import Literal

from search.verdict.degenerate import Degenerate


def default_name(method: str) -> str:
    """Name a method's default configuration in comparisons and tables, as no method can be called."""
    return f"{method} (default)"


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and documents, in points, with its 95 % interval.

    The limits are NaN where nothing tells them (a single document). `Verdict.intervals_over` says what they
    cover.
    """

    mean: float
    low: float
    high: float
    seed_sd: float
    """Sample standard deviation of the seeds' means, in points; NaN with one seed."""
    is_cut: bool
    """Whether a limit lay beyond the score's scale and was cut off at its end."""


@dataclass(frozen=True)
class MethodVerdict:
    """One method, or the baseline, as scored on the compared documents of the test split."""

    method: str
    score: Estimate
    """The task's metric."""
    scores: dict[str, Estimate]
    """Each score of the metric's family that is known a document, the task's metric among them."""
    letters: str
    """Compact letters: methods that share a letter are tied, cannot be told apart. Empty where the method is
    compared with no other, and of the untrained model."""
    seeds: int
    """Finished runs of the final that count."""
    degenerate: Degenerate | None
    """Shares of outputs that are no answers; None without predictions."""
    costs: dict[str, float]
    """Cost axis to what the method cost; an axis that was not measured is left out."""


@dataclass(frozen=True)
class DefaultVerdict:
    """A method's default configuration, retrained and scored like the winner, and the gain from tuning."""

    method: str
    scores: dict[str, Estimate]
    """As those of its `MethodVerdict`."""
    gain: float
    """The winner's mean minus the default's, in points of the task's metric; zero where the default won."""
    low: float
    high: float
    """Limits of the gain's 95 % interval (this pair alone), over seeds and documents; NaN where one of the
    two has a single seed."""
    is_winner: bool
    """Whether the default won the search: its runs of the final are then its own."""
    seeds: int
    costs: dict[str, float]


@dataclass(frozen=True)
class Copy:
    """A copy of a part of each source, scored on the compared documents and compared with nothing."""

    copy: str
    """`lead`, `tail` or `longest`."""
    label: str
    """What is copied: `first 2 turns`, `longest sentence`."""
    scores: dict[str, Estimate]
    """Each score of the metric's family, with its interval over documents."""


@dataclass(frozen=True)
class Quoted:
    """A method of which only scores of the whole corpus were imported: shown, and compared with nothing."""

    method: str
    scores: dict[str, float]
    """Score name to the mean over seeds, in points; those that were not given are left out."""
    seeds: int
    costs: dict[str, float]


@dataclass(frozen=True)
class Pair:
    """Two methods compared on the same documents; the one with the higher mean comes first."""

    better: str
    worse: str
    effect: float
    """Mean of `better` minus mean of `worse`, in points; never negative."""
    low: float
    high: float
    """Limits of the effect's 95 % interval (this pair alone), over seeds and documents."""
    p_documents: float
    """Approximate randomisation over the documents, the seeds taken as they are; two-sided."""
    p: float
    """Seeds and documents both taken as drawn at random, two-sided; at least `p_documents`."""
    p_corrected: float
    """`p` corrected for the number of pairs: of trained methods by closed testing over all ways in which
    they can be equal (Bergmann and Hommel, 1988; beyond 8 methods after Holm), of methods and the untrained
    model after Holm, apart from the others."""
    significant: bool
    """Whether `p_corrected` is below 0.05; where it is not, the two are tied."""


@dataclass(frozen=True)
class Lead:
    """The method with the highest mean against every other trained one that it is compared with."""

    best: str
    closest: str
    """The other with the largest `p`: the one that `best` is least sure to beat."""
    p: float
    """The largest of the best's uncorrected `Pair.p`. Better than every other is shown only where each pair
    shows it, so the largest counts and needs no correction (intersection-union test, Berger, 1982)."""
    significant: bool
    """Whether `p` is below 0.05: the best is better than every other."""
    tied: list[str]
    """The others that the best cannot be told apart from: none where `significant`, else those of the pairs
    that are not."""


@dataclass(frozen=True)
class Front:
    """Pareto front of quality and one cost: the methods that no cheaper or equally cheap one matches.

    Of trained methods only: the baseline has no cost of training.
    """

    axis: str
    """The cost's name, `train_seconds`."""
    methods: list[str]
    """The Pareto front, the cheapest first."""
    chances: dict[str, float]
    """Each method with this cost and two seeds or more: how often it is on the front of these when seeds and
    documents are drawn anew."""
    reference_cost: float
    reference_score: float
    """The hypervolume's reference point: the highest cost of any method, and the baseline's mean in points
    (zero where it was not scored)."""
    hypervolume: float
    """Area between the reference point and the front, divided by the reference cost, in points: the gain
    over `reference_score` that a cost limit drawn uniformly up to `reference_cost` buys on average."""
    hypervolume_low: float
    hypervolume_high: float
    """Limits of its 95 % interval."""


@dataclass(frozen=True)
class Recommendation:
    """The cheapest method within the margin of the best, by one cost."""

    axis: str
    method: str
    best: str
    """The method with the highest mean of those that are compared; the same as `method` where no cheaper one
    holds the margin."""
    cost: float
    best_cost: float
    margin: float
    """Points that `method` may be worse than the best."""
    shortfall: float
    """Mean of the best minus mean of `method`, in points; zero where they are the same."""
    is_shown: bool
    """Whether `method` is shown to be within the margin of the best in truth, whichever that is; always where
    it is not `best`."""
    tied: list[str]
    """Other methods that `best` cannot be told apart from."""
    is_cheapest: bool
    """Whether nothing is cheaper: otherwise, where `method` is the best, nothing cheaper is shown to be
    within the margin of it."""


@dataclass(frozen=True)
class Verdict:
    """Everything that a report says about the methods."""

    metric: str
    """Name of the task's metric, `rougeL`."""
    documents: int
    """Documents of the test split that every compared run has a finite score for; zero where none is
    shared, and the methods' means are then those of their records."""
    intervals_over: Literal["seeds and documents", "documents only"]
    """What the methods' intervals cover; the latter where no method has a second seed."""
    methods: list[MethodVerdict]
    """The highest mean first, the baseline among them; empty before the final."""
    copies: list[Copy]
    """Where a part of the source is an answer; none of an older sweep."""
    quoted: list[Quoted]
    """The highest mean first; none where nothing was imported without predictions."""
    uncompared: list[str]
    """Methods with a single seed, which tells none from another: in no pair and no recommendation."""
    pairs: list[Pair]
    """All pairs of the others, in the order of `methods`."""
    lead: Lead | None
    """The best of the trained methods that are compared; None where there are fewer than two."""
    search_sd: dict[str, float]
    """Method to how much another search would move its best validation score, a standard deviation in points;
    methods with too few trials are left out. It is in no interval."""
    fronts: list[Front]
    """One a cost axis that two methods or more were measured on."""
    recommendations: list[Recommendation]
    """One a cost axis that the best trained method was measured on; none without two that are compared."""
    untuned: list[DefaultVerdict]
    """One a method whose default configuration is known on test, in the order of `methods`; its key in
    `report.json` keeps this name."""
    advice: list[str]
    """The recommendations in plain text: a sentence for all costs on which the same is to be said."""
    summary: str
    """Two or three sentences of plain text: the best, its lead on the baseline, its ties; with one seed why
    there are none, and the remedy."""
    notes: list[str]
    """What weakens the verdict: few seeds or such that scatter, few documents, methods without a score,
    scores that disagree, intervals that were cut, outputs that are no answers. A sentence each."""
    missing: list[str]
    """Methods of the sweep without a score on test."""
