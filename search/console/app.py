"""The command line. Each command imports what it needs when it runs, so that --help is instant."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Annotated

import typer

from search.console.doctor import doctor
from search.console.export import export
from search.console.importing import import_results
from search.console.init import init
from search.console.options import (
    Address,
    Audit,
    KeepRayLogs,
    Overrides,
    RunFolderPath,
    Strict,
    SweepFile,
    Version,
    is_elsewhere,
)
from search.console.show import show
from search.console.terminal import terminal
from trainables.errors import InputError
from trainables.status import Status

if TYPE_CHECKING:
    from search.config import Sweep
    from search.records import PreflightResults

INTERRUPTED = 130
"""Exit code after Ctrl-C, as a shell expects it."""

app = typer.Typer(
    name="tuneoff",
    help="Which fine-tuning method, with which hyperparameters, for your model and data, and at what cost?",
    epilog="Begin with: tuneoff check SWEEP, then tuneoff run SWEEP.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback()
def options(version: Version = False) -> None: ...


@app.command()
def run(  # noqa: PLR0913, PLR0917 (each option is a parameter)
    sweep: SweepFile,
    overrides: Overrides = [],  # noqa: B006 (typer reads the default and never changes it)
    folder: Annotated[
        str | None, typer.Option(help="The run folder, or its URL. Default: <storage>/<name>.")
    ] = None,
    address: Address = None,
    audit: Audit = None,
    strict: Strict = False,
    keep_ray_logs: KeepRayLogs = False,
) -> None:
    """Search every method of a sweep, hold the final, write the report.

    Running it again on the same folder continues where it stopped; with a larger
    [bold]trials_per_method[/] or [bold]final.seeds[/], or with further methods, it extends the sweep.
    """
    from search.config import load_sweep

    audits = [] if audit is None else [f"search.audit={audit}"]
    loaded = load_sweep(sweep, [*overrides, *audits], elsewhere=is_elsewhere(address))
    if is_elsewhere(address):
        from search.cluster import run_sweep

        sys.exit(run_sweep(address, loaded, folder, strict=strict))
    _keep_ray_logs(keep_ray_logs)
    _run(loaded, folder or loaded.folder, address, strict=strict)


@app.command()
def resume(
    folder: RunFolderPath,
    address: Address = None,
    audit: Audit = None,
    strict: Strict = False,
    keep_ray_logs: KeepRayLogs = False,
) -> None:
    """Go on with an interrupted sweep: what is in its folder is all that is needed.

    It first says what is wrong there, as [bold]tuneoff verify[/] does, without reading weights and
    predictions; damaged records are set aside, and their trials run again.
    """
    if is_elsewhere(address):
        from search.cluster import resume_sweep

        sys.exit(resume_sweep(address, folder, audit=audit, strict=strict))
    from search.records import RunFolder, refuse_imported, sweep_of, verify

    sweep = sweep_of(folder)
    refuse_imported(RunFolder(folder), sweep)
    for finding in verify(folder, contents=False):
        typer.echo(f"Found: {finding}", err=True)
    if audit is not None:
        sweep = sweep.model_copy(update={"search": sweep.search.model_copy(update={"audit": audit})})
    _keep_ray_logs(keep_ray_logs)
    _run(sweep, folder, address, strict=strict)


@app.command()
def report(
    folder: RunFolderPath,
    live: Annotated[
        bool, typer.Option("--live", help="Write it again and again while the sweep runs.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(help="Another folder to write, where the run folder is only to be read.")
    ] = None,
) -> None:
    """Write the report of a run folder, also while its sweep runs."""
    from search.report import report_of

    typer.echo(report_of(folder, live=live, to=to))


app.command()(show)


@app.command()
def verify(folder: RunFolderPath) -> None:
    """Check every file of a run folder, and change none; exit code 1 where something is wrong."""
    from search.records import verify

    findings = 0
    for finding in verify(folder):
        typer.echo(finding)
        findings += 1
    typer.echo(f"{findings} finding{'s' if findings > 1 else ''}." if findings else "All files are whole.")
    sys.exit(1 if findings else 0)


@app.command()
def compare(
    folders: Annotated[list[str], typer.Argument(metavar="FOLDER FOLDER ...", help="Run folders.")],
    to: Annotated[Path, typer.Option(help="The folder to write.")] = Path("comparison"),
) -> None:
    """Put several sweeps, of other models or data, in one report."""
    from search.report import write_comparison

    typer.echo(write_comparison(folders, to))


@app.command()
def check(
    sweep: SweepFile,
    overrides: Overrides = [],  # noqa: B006
    checks: Annotated[
        bool, typer.Option(help="Try each method in a worker, on the model and a few examples.")
    ] = True,
    address: Address = None,
) -> None:
    """Validate a sweep, look at its prompts, labels and token lengths, and try each method for seconds."""
    from search.cluster import check_resources
    from search.config import load_sweep
    from search.console.checkup import checkup
    from search.console.listings import print_checkup

    loaded = load_sweep(sweep, overrides, elsewhere=is_elsewhere(address))
    if is_elsewhere(address):
        from search.cluster import check_sweep

        sys.exit(check_sweep(address, loaded, checks=checks))
    check_resources(loaded.resources, address)
    found = checkup(loaded)
    print_checkup(loaded, found)
    if checks:
        from search.cluster import SweepFailed
        from search.console.progress import Progress
        from search.preflight import try_methods

        console = terminal()
        console.print("\nTrying each method on the model and a few examples.", highlight=False)
        try:
            with Progress(loaded, (), console) as progress:
                tried = try_methods(loaded, found.data, found.rungs, progress.checks, address=address)
            tried.refuse_failures()
        except SweepFailed as error:
            typer.echo(f"Error: {error}", err=True)
            sys.exit(1)


app.command()(doctor)
app.command("import")(import_results)


@app.command()
def methods(name: Annotated[str | None, typer.Argument(help="Only this method.")] = None) -> None:
    """Show the methods and what is searched for each."""
    from search.console.listings import print_methods

    print_methods(name)


app.command()(export)


app.command()(init)


@app.command()
def schema() -> None:
    """Print the JSON schema of sweep files, from which editors complete and check them."""
    import json

    from search.config import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def main() -> None:
    """Run the command line; print an InputError without a traceback, and exit with code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a character that a terminal does not know ends no run
            stream.reconfigure(errors="replace")
    try:
        app()
    except InputError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(2)


def _keep_ray_logs(asked: bool) -> None:
    if asked:  # what the user says to Ray is kept: see `search.cluster.connected`
        os.environ.setdefault("RAY_TMPDIR", gettempdir())


def _run(sweep: "Sweep", folder: str, address: str | None, *, strict: bool) -> None:
    from search.cluster import SweepFailed, interruptible
    from search.console.progress import Progress
    from search.engine import run
    from search.records import RunFolder, sound_records
    from search.verdict import verdict

    def checks(preflight: "PreflightResults") -> None:
        progress.checks(preflight)
        if strict and preflight.is_whole:
            preflight.refuse_failures()

    console, known = terminal(), RunFolder(folder).read_preflight().verdicts()
    if strict:
        known.refuse_failures()
    console.print(f"Run folder: {folder}", soft_wrap=True, highlight=False)
    console.print("Reading the data and starting workers: they import their libraries once.", highlight=False)
    interrupted = f"Interrupted; every finished rung is kept. Go on with: tuneoff resume {folder}"
    try:
        records = sound_records(RunFolder(folder))
        with interruptible(interrupted), Progress(known.admitted(sweep), records, console) as progress:
            results = run(sweep, folder, address=address, listeners=[progress], checks=checks)
    except KeyboardInterrupt as interrupt:
        sys.exit(interrupt.args[0] if interrupt.args else INTERRUPTED)
    except SweepFailed as error:
        typer.echo(f"Error: {error}", err=True)
        if RunFolder(folder).is_there():
            typer.echo(f"Go on with: tuneoff resume {folder}", err=True)
        sys.exit(1)
    console.print(verdict(results).summary, soft_wrap=True, highlight=False)
    console.print(f"Report: {results.folder.report / 'report.html'}", soft_wrap=True, highlight=False)
    failed = results.finals[results.finals["status"] != Status.COMPLETED]
    if len(failed):
        again = f"tuneoff resume {folder} tries them again"
        typer.echo(f"{len(failed)} runs of the final failed, see the report; {again}.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
