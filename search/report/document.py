"""The report as Markdown: what was found first, then by how much and at what cost, then how it was run."""

from search.report import examples, tables
from search.report.findings import finding
from search.report.gaps import gaps
from search.report.markdown import (
    code,
    columns,
    fence,
    listed,
    number,
    points,
    quantity,
    section,
    size,
    spread,
    table,
    text,
    wrap,
)
from search.report.names import data_name, method_name, metric_name, score_name
from search.report.qualifying import search, stopping, tuning
from search.report.setup import setup
from search.results import Results

_COSTS = ["Trainable", "% of total", "Train s", "Peak memory", "Adapter", "Seeds"]


def document(results: Results) -> str:
    """The whole of report.md."""
    sections = (_top, _methods, _improvements, tuning, search, _examples, stopping, setup)
    return "\n\n".join(draw(results) for draw in sections) + "\n"


def _top(results: Results) -> str:
    task = results.sweep.task
    title = f"# Tune-off: {text(results.sweep.name)}"
    missing = "\n>\n".join(f"> {gap}" for gap in gaps(results))
    subject = f"{code(task.model)} on {code(data_name(task.data))}, compared by {metric_name(results)}."
    return "\n\n".join(filter(None, [title, finding(results), missing, subject]))


def _methods(results: Results) -> str:
    scores = tables.score_names(results)
    rows = [
        [
            method_name(method),
            *(spread(row[f"{score}_mean"], row[f"{score}_sd"]) for score in scores),
            number(row["trainable_parameters"]),
            quantity(row["trainable_percent"]),
            quantity(row["train_seconds"]),
            size(row["peak_memory_bytes"]),
            size(row["adapter_bytes"]),
            number(row["seeds"]),
        ]
        for method, row in tables.methods(results).iterrows()
    ]
    note = (
        f"Test split, points from 0 to 100, the best {metric_name(results)} first: mean ± sample standard "
        "deviation over the seeds. Each method is the best trial of its search, retrained at the full "
        "budget. Train s: mean of the seeds, without evaluation. Peak memory: the most of any seed."
    )
    return section("Methods", table(["Method", *map(score_name, scores), *_COSTS], rows), note)


def _improvements(results: Results) -> str:
    values = tables.improvements(results)
    if len(values) <= 1:
        return section("Improvements", "Fewer than two scores on test: nothing to compare.")
    rows = [
        [method_name(row), *("" if row == other else number(lead, "+.2f") for other, lead in leads.items())]
        for row, leads in values.iterrows()
    ]
    note = f"{metric_name(results)} on test of the row's method minus that of the column's, in points."
    return section("Improvements", table(["", *map(method_name, values)], rows), note)


def _examples(results: Results) -> str:
    chosen = examples.choose(results)
    if not chosen:
        return section("Examples", "No predictions on test yet.")
    metric, shown = metric_name(results), examples.shown_methods(results)
    left_out = [method for method in results.methods if method not in shown]
    missing = (
        f"Not shown, as that run has not finished: {listed([*map(code, left_out)])}." if left_out else ""
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
