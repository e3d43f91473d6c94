"""The report as Markdown: what was found first, then by how much and at what cost, then how it was run."""

import pandas as pd

from search.records import Results
from search.report import sampled as examples
from search.report import tables
from search.report.gaps import gaps
from search.report.markdown import bullets, code, columns, fence, section, table, text, wrap
from search.report.names import method_name, metric_name, subject
from search.report.scored import correction, leading, outside, reading, scored
from search.report.sections import Sections
from search.verdict import Estimate, Verdict, listed, score_name
from trainables.amounts import DASH, known, number, points
from trainables.cost.declared import tabled


def document(results: Results, verdict: Verdict, shared: Sections) -> str:
    """Write the whole of report.md."""
    parts = [_top(results, verdict), _methods(results, verdict), _improvements(results, verdict)]
    parts += [shared.tuning, shared.search, shared.fronts, shared.stopping, shared.quality]
    parts += [shared.outputs, _examples(results), shared.checks, shared.setup]
    return "\n\n".join(filter(None, parts)) + "\n"


def _top(results: Results, verdict: Verdict) -> str:
    title = f"# Tune-off: {text(results.sweep.name)}"
    advice = bullets([text(sentence) for sentence in verdict.advice])
    warnings = "\n>\n".join(f"> {line}" for line in [*gaps(results), *map(text, verdict.notes)])
    return "\n\n".join(
        filter(None, [title, f"**{text(verdict.summary)}**", advice, warnings, f"{subject(results, code)}."])
    )


def _methods(results: Results, verdict: Verdict) -> str:
    scores = tables.score_names(results)
    rows = scored(results, verdict)
    if not rows:
        return section("Methods", "No method has been scored on test yet.")
    costs = pd.concat([tables.methods(results), tables.retrained_defaults(results)])
    cells = [
        [
            row.label,
            *(_estimate(row.scores.get(score)) for score in scores),
            *([row.letters] if verdict.lead else []),
            *_costs(costs.loc[row.name] if row.seeds else None),
        ]
        for row in rows
    ]
    note = (
        f"Test split, points from 0 to 100, the best {metric_name(results)} first: "
        f"{reading(results, verdict)}{_origin(results, verdict)} Train s: mean of the seeds, without "
        "evaluation. Peak memory: the most of any seed."
    )
    ties = ["Ties"] if verdict.lead else []
    header = ["Method", *map(score_name, scores), *ties, *(figure.column for figure in tabled()), "Seeds"]
    return section("Methods", table(header, cells), note, *outside(results, verdict))


def _origin(results: Results, verdict: Verdict) -> str:
    """Say where the methods' outputs come from."""
    if results.sweep.imported:
        return " Predictions are those of other tools, scored here." if verdict.methods else ""
    has_defaults = not all(default.is_winner for default in verdict.untuned)
    defaults = "; `(default)` is its default configuration, retrained alike" if has_defaults else ""
    return f" Each method is the best trial of its search, retrained at the full budget{defaults}."


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return DASH
    if not known(estimate.low):
        return points(estimate.mean)
    return f"{points(estimate.mean)} [{points(estimate.low)}, {points(estimate.high)}]"


def _costs(row: pd.Series | None) -> list[str]:
    if row is None:
        return [DASH] * (len(tabled()) + 1)
    return [*(figure.unit.shown(row[figure.name]) for figure in tabled()), number(row["seeds"])]


def _improvements(results: Results, verdict: Verdict) -> str:
    if not verdict.pairs:
        return section("Improvements", _nothing_to_compare(verdict))
    rows = [
        [
            method_name(pair.better),
            method_name(pair.worse),
            f"{number(pair.effect, '+.2f')} [{number(pair.low, '+.2f')}, {number(pair.high, '+.2f')}]",
            number(pair.p_corrected, ".2g"),
            "yes" if pair.significant else "no",
        ]
        for pair in verdict.pairs
    ]
    note = (
        f"Difference of the means of {metric_name(results)} on test, in points, with its 95 % interval. p: "
        f"documents and seeds both taken as drawn at random, corrected {correction(verdict)}; significant "
        "below 0.05."
    )
    left_out = listed([code(method) for method in verdict.uncompared])
    single = f"Not compared, with one seed: {left_out}." if left_out else ""
    header = ["Better", "Worse", "Difference", "p", "Significant"]
    return section("Improvements", table(header, rows), note, text(leading(verdict)), single)


def _nothing_to_compare(verdict: Verdict) -> str:
    if verdict.uncompared and len(verdict.methods) > 1:
        return "One seed cannot tell methods apart: no pair is compared."
    return "Fewer than two scores on test: nothing to compare."


def _examples(results: Results) -> str:
    chosen = examples.choose(results)
    if not chosen:
        return section("Examples", "No predictions on test yet.")
    metric, shown = metric_name(results), examples.shown_methods(results)
    left_out = [method for method in results.methods if method not in shown]
    missing = (
        f"Not shown, as their predictions are not at hand: {listed([*map(code, left_out)])}."
        if left_out
        else ""
    )
    note = (
        f"Documents of the test split at evenly spaced quantiles of the mean {metric} over the methods, the "
        f"worst first. Below each source: its references, then the outputs of seed {examples.SEED} with "
        f"their {metric}."
    )
    titles = [f"### Example {place} of {len(chosen)}" for place in range(1, len(chosen) + 1)]
    drawn = [_example(example, title, metric) for example, title in zip(chosen, titles, strict=True)]
    return section("Examples", note, missing, *drawn)


def _example(example: examples.Example, title: str, metric: str) -> str:
    references = [("reference", "", reference) for reference in example.references]
    outputs = [(output.method, points(output.score), output.prediction) for output in example.outputs]
    heading = f"{title}: {code(example.id)}, mean {metric} {points(example.mean_score)}"
    source = "\n".join(wrap(example.source))
    return "\n\n".join([heading, fence(source), fence(columns([*references, *outputs]))])
