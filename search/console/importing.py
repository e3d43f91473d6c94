"""`tuneoff import`: bring results of other tools into a run folder."""

from typing import Annotated

import typer

MOST_NAMED = 8
"""Methods whose names are printed."""


def import_results(
    results: Annotated[
        list[str],
        typer.Argument(metavar="RESULTS...", help="Files of predictions: jsonl, json, csv, tsv or parquet."),
    ],
    into: Annotated[
        str, typer.Option(help="A new folder, that of an earlier import, or the run folder of a sweep.")
    ],
    column: Annotated[
        list[str],
        typer.Option(
            metavar="MEANING=NAME",
            help="What a column of the files is called: --column prediction=output. Repeatable.",
        ),
    ] = [],  # noqa: B006 (typer reads the default and never changes it)
    type_: Annotated[
        str | None, typer.Option("--type", help="Of a new folder: summarization (default), translation, ...")
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Of a new folder: by what methods are compared.")] = None,
    references: Annotated[
        str | None, typer.Option(help="Of a new folder: how several count, as task.references: mean, max.")
    ] = None,
) -> None:
    """Score predictions that other tools made, compare them as a sweep's, and write the report.

    A row is one prediction: columns [bold]id[/] or [bold]source[/], [bold]references[/], [bold]prediction[/],
    [bold]method[/], [bold]seed[/]; costs by their names ([bold]train_seconds[/], ...). docs/importing.md.
    """
    from search.importing import Columns, bring
    from search.records import load_results
    from search.report import report_of
    from search.verdict import counted, listed, verdict

    task = {"type": type_, "metric": metric, "references": references}
    brought = bring(results, into, columns=Columns.parsed(column), task=task)
    methods = list(dict.fromkeys(run.method for run in brought.runs))
    examples = f" of {counted(brought.examples, 'example')}" if brought.examples else ""
    named = listed(methods) if len(methods) <= MOST_NAMED else f"{len(methods)} methods"
    typer.echo(f"Imported: {counted(len(brought.runs), 'run')}{examples}, {named}.")
    for note in brought.notes:
        typer.echo(note)
    typer.echo(verdict(load_results(into)).summary)
    typer.echo(f"Report: {report_of(into, live=False)}")
