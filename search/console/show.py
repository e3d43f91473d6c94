"""The command `tuneoff show`; what it does is imported when it runs."""

from typing import Annotated

import typer

from search.console.options import RunFolderPath
from search.console.terminal import terminal


def show(
    folder: RunFolderPath,
    json: Annotated[
        bool, typer.Option("--json", help="Print the verdict's values, as report.json has them.")
    ] = False,
) -> None:
    """Print what a run folder says so far: verdict, methods with their intervals, progress of the sweep.

    Reads the records only and writes nothing, also while the sweep runs elsewhere.
    """
    from search.records import load_results
    from search.report import verdict_json
    from search.verdict import verdict

    results = load_results(folder)
    found = verdict(results)
    if json:
        typer.echo(verdict_json(found), nl=False)
        return
    from search.console.verdict_table import print_verdict

    print_verdict(results, found, terminal())
