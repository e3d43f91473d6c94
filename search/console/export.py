"""`tuneoff export`: what a final trained, for those who use it."""

from pathlib import Path
from typing import Annotated

import typer

from search.console.options import RunFolderPath


def export(
    folder: RunFolderPath,
    method: Annotated[str, typer.Option(help="The method, by its name in the sweep.")],
    to: Annotated[Path, typer.Option(help="A new or empty folder.")],
    seed: Annotated[int, typer.Option(min=0, help="Which of the final's seeds.")] = 0,
    merge: Annotated[
        bool, typer.Option("--merge", help="One whole model of the adapter and the model under it.")
    ] = False,
    push_to_hub: Annotated[
        str | None,
        typer.Option(metavar="REPO", help="Push it too: owner/name on the hub, private where it is new."),
    ] = None,
) -> None:
    """Copy what a final trained, with a model card and predict.py: a peft adapter, or a whole model."""
    from search.report import Repository, export

    repository = Repository(push_to_hub) if push_to_hub else None
    exported = export(folder, method, to, seed, merge=merge)
    typer.echo(exported)
    if repository:
        typer.echo(repository.push(exported))
