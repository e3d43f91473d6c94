"""The rows of the table of methods: methods, the untrained model, and defaults where they were retrained."""

from dataclasses import dataclass

from search.records import BASELINE
from search.statistics import MOST_PARTITIONED
from search.verdict import Estimate, Verdict, default_name
from trainables.amounts import DASH, known


@dataclass(frozen=True)
class Scored:
    """A method, the baseline or a default configuration, as it was scored on test."""

    name: str
    scores: dict[str, Estimate]
    letters: str
    """Ties; a dash for one seed, the untrained model and defaults, compared with their own method only."""
    seeds: int
    costs: dict[str, float]


def scored(verdict: Verdict) -> list[Scored]:
    """List what was scored on test, the highest mean of the task's metric first."""
    rows = [Scored(m.method, m.scores, m.letters or DASH, m.seeds, m.costs) for m in verdict.methods]
    rows += [
        Scored(default_name(default.method), default.scores, DASH, default.seeds, default.costs)
        for default in verdict.untuned
        if not default.is_winner
    ]
    return sorted(rows, key=lambda row: row.scores[verdict.metric].mean, reverse=True)


def reading(verdict: Verdict, metric: str) -> str:
    """Say what the scores' intervals cover, and what the letters mean."""
    seeds = "one seed a method" if verdict.intervals_over == "documents only" else "mean over seeds"
    measured = (
        f"{seeds} with its 95 % interval over {verdict.intervals_over}. Intervals hold for these winners; "
        "another search would find others."
    )
    if verdict.lead is None:
        return measured
    single = "; one with a single seed has none" if verdict.uncompared else ""
    return (
        f"{measured} Methods that share a letter under Ties cannot be told apart by {metric}{single}. The "
        "letters hold for all pairs at once, which asks more than that the best is better than every other."
    )


def correction(verdict: Verdict) -> str:
    """Say how the p-values of pairs are corrected."""
    trained = {name for pair in verdict.pairs for name in (pair.better, pair.worse)} - {BASELINE}
    between = "after Holm" if len(trained) > MOST_PARTITIONED else "by closed testing (Bergmann and Hommel)"
    return f"{between} over the pairs of methods, and after Holm over those with the untrained model"


def leading(verdict: Verdict) -> str:
    """Say how the best is tested against every other; plain text, empty where there is nothing to test."""
    lead = verdict.lead
    if lead is None or not known(lead.p):
        return ""
    return (
        f"Whether {lead.best} is better than every other method is one question, which the closest other "
        f"decides: {lead.closest}, p {lead.p:.2g} without correction (intersection-union test)."
    )
