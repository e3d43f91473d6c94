"""What several commands are told in the same words."""

from typing import Annotated, TypeGuard

import typer

SweepFile = Annotated[
    str, typer.Argument(metavar="SWEEP", help="A sweep file (YAML), or the name of a bundled sweep.")
]
RunFolderPath = Annotated[
    str, typer.Argument(metavar="FOLDER", help="A run folder, or its URL: runs/<name> by default.")
]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a key: --set search.trials_per_method=4. Repeatable."
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        envvar="RAY_ADDRESS",
        help="A running Ray cluster: auto or HOST:PORT on a machine of it; from outside http://HOST:8265 "
        "(its dashboard), and the command runs there as a Ray job. Default: Ray on this machine.",
    ),
]

Audit = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="K",
        help="Run K stopped trials of each method to the end after the search: did stopping miss a winner?",
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Stop where a method fails a preflight check, instead of leaving it out."),
]
KeepRayLogs = Annotated[
    bool, typer.Option("--keep-ray-logs", help="Leave Ray's own logs in the temporary folder, as Ray does.")
]


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"tuneoff {version('tuneoff')}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
]


def is_elsewhere(address: str | None) -> TypeGuard[str]:
    """Whether a command is to run on the cluster, as a job of it."""
    return address is not None and "://" in address
