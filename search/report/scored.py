"""The rows of the table of methods: methods, the untrained model, retrained defaults, and copies."""

from dataclasses import dataclass, replace
from math import nan

from search.records import BASELINE, Results
from search.report.names import method_name, metric_name
from search.statistics import MOST_PARTITIONED
from search.verdict import DefaultVerdict, Estimate, MethodVerdict, Quoted, Verdict, default_name
from trainables.amounts import DASH, known


@dataclass(frozen=True)
class Scored:
    """A method, the baseline, a default configuration or a copy, as it was scored on test."""

    name: str
    label: str
    """The name in print, as Markdown."""
    scores: dict[str, Estimate]
    letters: str
    """Ties; a dash for one seed, the untrained model, defaults (compared with their own method only) and
    copies (compared with nothing)."""
    seeds: int | None
    """None of a copy."""
    costs: dict[str, float]

    @property
    def is_reference(self) -> bool:
        """Whether it is what methods are held against, the untrained model or a copy, and no method."""
        return self.name == BASELINE or self.seeds is None


def scored(results: Results, verdict: Verdict) -> list[Scored]:
    """List what was scored on test, the highest mean of the task's metric first."""
    rows = [_scored(m.method, m, m.letters or DASH) for m in verdict.methods]
    rows += [_scored(default_name(d.method), d, DASH) for d in verdict.untuned if not d.is_winner]
    rows += [
        Scored(copy.label, f"copy: {copy.label}", copy.scores, DASH, None, {}) for copy in verdict.copies
    ]
    rows += [_quoted(one) for one in verdict.quoted]
    foreign = {} if results.sweep.imported else dict.fromkeys(results.imported, " (imported)")
    rows = [replace(row, label=f"{row.label}{foreign.get(row.name, '')}") for row in rows]
    return sorted(rows, key=lambda row: row.scores[verdict.metric].mean, reverse=True)


def _scored(name: str, measured: MethodVerdict | DefaultVerdict, letters: str) -> Scored:
    return Scored(name, method_name(name), measured.scores, letters, measured.seeds, measured.costs)


def _quoted(one: Quoted) -> Scored:
    scores = {name: Estimate(mean, nan, nan, nan, is_cut=False) for name, mean in one.scores.items()}
    return Scored(one.method, method_name(one.method), scores, DASH, one.seeds, one.costs)


def outside(results: Results, verdict: Verdict) -> list[str]:
    """Say what the rows are that are in no test, and what was imported."""
    found = []
    if verdict.copies:
        found += [
            "Rows that begin with copy are a part of each source as it stands, what any summary must beat; "
            "they are outside the tests, with intervals over documents. How many of the first and of the "
            "last is what scores highest on validation."
        ]
    if results.imported and not results.sweep.imported:
        found += ["Imported: predictions of another tool, scored here; how it was tuned is not known."]
    if verdict.quoted:
        found += ["Rows without an interval are scores that were imported without predictions."]
    return [" ".join(found)]


def reading(results: Results, verdict: Verdict) -> str:
    """Say what the scores' intervals cover, and what the letters mean."""
    if not verdict.methods:
        return "scores of the whole corpus, as they were imported."
    seeds = "one seed a method" if verdict.intervals_over == "documents only" else "mean over seeds"
    winners = (
        "" if results.sweep.imported else f" Intervals hold for these winners; {_another_search(verdict)}."
    )
    measured = f"{seeds} with its 95 % interval over {verdict.intervals_over}.{winners}"
    if verdict.lead is None:
        return measured
    single = "; one with a single seed has none" if verdict.uncompared else ""
    return (
        f"{measured} Methods that share a letter under Ties cannot be told apart by {metric_name(results)}"
        f"{single}. The letters hold for all pairs at once, which asks more than that the best is better "
        "than every other."
    )


def _another_search(verdict: Verdict) -> str:
    """Say how much another search would move a winner, where the search's own trials tell."""
    found = sorted(verdict.search_sd.items(), key=lambda item: item[1])
    if not found:
        return "another search would find others"
    (least, low), (most, high) = found[0], found[-1]
    span = f"{low:.2f}" if len(found) == 1 else f"{low:.2f} ({least}) to {high:.2f} ({most})"
    return (
        f"another search would find others, whose best validation score moves by about {span} points "
        "(standard deviation by the bootstrap of each method's trials, a rough figure that is in no interval)"
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
