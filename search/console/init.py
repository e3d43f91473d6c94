"""The command `tuneoff init`; what it does is imported when it runs."""

from pathlib import Path
from typing import Annotated

import typer


def init(  # noqa: PLR0913, PLR0917 (each option is a parameter)
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sweep file to write: my.yaml.")],
    data: Annotated[
        str, typer.Option(help="Train file (jsonl, json, csv, tsv, parquet), hub id, or embedded.")
    ] = "embedded",
    validation: Annotated[Path | None, typer.Option(help="Validation file; without it, carved.")] = None,
    test: Annotated[Path | None, typer.Option(help="Test file; without it, carved from train.")] = None,
    model: Annotated[str, typer.Option(help="Hub id, local folder, or embedded.")] = "embedded",
    source: Annotated[str | None, typer.Option(help="Column to read; without it, proposed.")] = None,
    target: Annotated[str | None, typer.Option(help="Column to write; without it, proposed.")] = None,
    methods: Annotated[str, typer.Option(help="Comma-separated names; see tuneoff methods.")] = "",
    type_: Annotated[
        str, typer.Option("--type", help="summarization, translation, classification, ...: docs/tasks.md.")
    ] = "summarization",
    kind: Annotated[str, typer.Option(hidden=True, help="What --type was called before.")] = "",
) -> None:
    """Write a commented sweep file to start from; columns that are not named are proposed from the data."""
    from search.console.new_sweep import Start, write_sweep

    files = [None if path is None else str(path) for path in (validation, test)]
    names = [name.strip() for name in methods.split(",") if name.strip()]
    start = Start(model, data, *files, source=source, target=target, methods=names, type=kind or type_)
    for line in write_sweep(file, start):
        typer.echo(line)
