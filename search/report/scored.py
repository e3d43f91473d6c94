"""The rows of the table of methods: methods, the untrained model, and untuned defaults where retrained."""

from dataclasses import dataclass

from search.report.markdown import DASH
from search.verdict import Estimate, Verdict
from search.verdict.values import untuned_name


@dataclass(frozen=True)
class Scored:
    """What was scored on test, under the name that it is shown by."""

    name: str
    scores: dict[str, Estimate]
    letters: str
    """Ties; a dash for a default, which is compared with its own method only."""
    seeds: int
    costs: dict[str, float]


def scored(verdict: Verdict) -> list[Scored]:
    """The highest mean of the task's metric first."""
    rows = [Scored(m.method, m.scores, m.letters, m.seeds, m.costs) for m in verdict.methods]
    rows += [
        Scored(untuned_name(default.method), default.scores, DASH, default.seeds, default.costs)
        for default in verdict.untuned
        if not default.is_winner
    ]
    return sorted(rows, key=lambda row: row.scores[verdict.metric].mean, reverse=True)
