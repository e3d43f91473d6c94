"""Run a command on a cluster as a Ray job and print its log here: `--address http://HOST:8265`.

The driver belongs beside the run folder and the workers, so the whole command goes to the head node. When the
connection breaks the job goes on, and the same command shows it again.

All users of the cluster can read what a job is given (entrypoint, metadata, runtime environment, working
directory), so credentials are no part of it: the job has those of the environment that Ray was started in.
"""

import asyncio
import logging
import os
import re
import shlex
import signal
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import typer
from aiohttp import ClientError
from ray.exceptions import RayError
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient

from search.cluster.connection import FORWARDED, own_code
from search.cluster.interruption import hearing
from search.cluster.ray_token import guard_token
from search.config import Sweep
from trainables.errors import InputError
from trainables.storage.place import refuse_secrets

MODULE = "search.console.app"
"""Module that the job runs."""
FOLDER = "tuneoff_folder"
"""Key of the job's metadata that holds its run folder."""
STOP_SECONDS = 60
"""How long Ray lets a job end in order before it kills it; Ray's default is 3."""
QUIET_SECONDS = 120
"""Silence after which the log is requested again: the connection may be lost without an error."""
BROKEN = (OSError, RuntimeError, ClientError, RayError)
"""Errors of the job client where the server is gone or refuses."""
LEFT = b"\nLeft: the sweep ends on the cluster by itself. The same command goes on from its records.\n"


@dataclass(frozen=True)
class Command:
    """A command of `tuneoff` for the cluster."""

    arguments: list[str]
    """The command, then its own arguments and options."""
    sweep: Sweep | None = None
    """First argument of the command; its text is sent, since the file is on this machine."""
    folder: str | None = None
    """Run folder; a job that already runs on it is shown instead. None: there is none."""


def run_sweep(address: str, sweep: Sweep, folder: str | None, *, strict: bool) -> int:
    """Run `tuneoff run` there and return the exit code.

    Raises:
        InputError: a path is relative, or its URL holds a secret; or as `run_there`.
    """
    folder = _whole(folder or sweep.folder, "--folder" if folder else "storage")
    _whole(sweep.search.warm_start or "/", "search.warm_start")
    return run_there(address, Command(["run", "--folder", folder, *_strict(strict)], sweep, folder))


def resume_sweep(address: str, folder: str, *, audit: int | None, strict: bool) -> int:
    """Run `tuneoff resume` there and return the exit code. Raises as `run_sweep`."""
    folder, audits = _whole(folder, "FOLDER"), [] if audit is None else [f"--audit={audit}"]
    return run_there(address, Command(["resume", folder, *audits, *_strict(strict)], folder=folder))


def check_sweep(address: str, sweep: Sweep, *, checks: bool) -> int:
    """Run `tuneoff check` there and return the exit code. Raises as `run_there`."""
    return run_there(address, Command(["check", *([] if checks else ["--no-checks"])], sweep))


def examine_cluster(address: str) -> int:
    """Run `tuneoff doctor` there and return the exit code. Raises as `run_there`."""
    return run_there(address, Command(["doctor"]))


def run_there(address: str, command: Command) -> int:
    """Run the command as a job of the cluster, print its log, return its exit code; 1 if the job was lost.

    The first Ctrl-C or SIGTERM ends the job in order; the second asks for that again and leaves.

    Raises:
        InputError: no job server answers at `address`, or it refuses the job.
    """
    signals: list[int] = []
    jobs: list[str] = []

    def hear(number: int, frame: object) -> None:
        signals.append(number)
        if len(signals) <= 2:  # a second signal may come before the first one's request has left
            for job in jobs:
                client.stop_job(job)
        if len(signals) > 1:
            os.write(1, LEFT)
            os._exit(128 + signals[0])

    with hearing(hear):
        try:
            client = _client(address)
            jobs.append(_job(client, command))
        except BROKEN as error:
            words = " ".join(str(error).split())
            raise InputError(f"--address {address}: no Ray cluster takes jobs there ({words}).") from error
        try:
            if signals:
                client.stop_job(jobs[0])
            asyncio.run(_show(client, jobs[0]))
            return _exit_code(client.get_job_info(jobs[0]), signals)
        except BROKEN as error:
            typer.echo(f"The connection to the cluster broke: {str(error).partition(chr(10))[0]}")
            typer.echo("The sweep goes on there; the same command shows it.")
    return 1


def _whole(path: str, key: str) -> str:
    refuse_secrets(path)
    if "://" in path or path.startswith("/"):
        return path
    raise InputError(
        f"{key}: must be a whole path or a URL, because the sweep runs on the cluster; got {path}. "
        "Name a folder that all its nodes share, or s3://BUCKET/PATH."
    )


def _strict(strict: bool) -> list[str]:
    return ["--strict"] if strict else []


def _client(address: str) -> JobSubmissionClient:
    url = urlsplit(address)
    if url.scheme not in ("http", "https"):
        there = f"http://{url.netloc.rpartition(':')[0] or url.netloc}:8265"
        raise InputError(
            f"--address {address}: from outside a command goes to a cluster as a Ray job, at the port of "
            f"Ray's dashboard. Use --address {there}."
        )
    guard_token()
    # Ray puts RAY_ADDRESS before the address that it is called with, and this variable before both.
    os.environ["RAY_API_SERVER_ADDRESS"] = address
    for handler in logging.getLogger("ray").handlers:
        handler.setLevel(logging.WARNING)  # each upload and each connection is logged at INFO
    return JobSubmissionClient(address)


def _job(client: JobSubmissionClient, command: Command) -> str:
    """Find the job that runs on the command's folder, or submit one; return its id."""
    if command.folder and (job := _running(client, command.folder)):
        typer.echo(f"Job {job} runs on {command.folder} already: this shows it, whatever was asked for now.")
        return job
    if names := unsent(command.sweep):
        typer.echo(
            f"Not sent: {', '.join(names)}. All users of the cluster can read what a job is given; what the "
            "sweep needs of them belongs in the environment that Ray is started in on the head."
        )
    job = _submit(client, command)
    typer.echo(f"On the cluster, to whose nodes all paths belong: job {job}. Ctrl-C ends the sweep in order.")
    return job


def _running(client: JobSubmissionClient, folder: str) -> str | None:
    for job in client.list_jobs():
        if (job.metadata or {}).get(FOLDER) == folder and not job.status.is_terminal():
            return job.submission_id
    return None


def unsent(sweep: Sweep | None) -> list[str]:
    """Name the credentials that this environment holds, with those that the URL of the studies asks for."""
    url = (sweep and sweep.search.study_storage) or ""
    return [name for name in (*FORWARDED, *re.findall(r"\$\{?(\w+)", url)) if name in os.environ]


def _submit(client: JobSubmissionClient, command: Command) -> str:
    """Submit the command with this very code: what runs there is what read the sweep file here."""
    environment = {**own_code(), "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)}}
    name, *arguments = command.arguments
    with TemporaryDirectory(prefix="tuneoff-") as folder:
        if command.sweep is not None:
            Path(folder, "sweep.yaml").write_text(command.sweep.to_yaml(), encoding="utf-8")
            environment["working_dir"], arguments = folder, ["sweep.yaml", *arguments]
        # -P: what lies in the working directory is not taken for a package
        words = ["exec", "python", "-P", "-m", MODULE, name, *arguments]
        metadata = {} if command.folder is None else {FOLDER: command.folder}
        return client.submit_job(entrypoint=shlex.join(words), runtime_env=environment, metadata=metadata)


async def _show(client: JobSubmissionClient, job: str) -> None:
    """Print the job's log from its first line to its end."""
    shown = 0
    while True:
        log, read = client.tail_job_logs(job), 0
        try:
            while True:
                text = await asyncio.wait_for(anext(log, None), QUIET_SECONDS)
                if text is None:
                    return
                typer.echo(text[max(0, shown - read) :], nl=False)
                read += len(text)
                shown = max(shown, read)
        except TimeoutError:
            client.get_job_status(job)  # raises where the cluster does not answer any more


def _exit_code(job: JobDetails, signals: list[int]) -> int:
    """Return what a shell on the cluster would."""
    if job.status == JobStatus.STOPPED:  # from here, else by `ray job stop`
        return 128 + (signals or [signal.SIGTERM])[0]
    if job.driver_exit_code is None:
        typer.echo(f"The job is {job.status}: {job.message}\nThe same command goes on from the records.")
        return 1
    code = job.driver_exit_code
    return code if code >= 0 else 128 - code
