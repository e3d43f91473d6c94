"""A command that runs on a cluster and prints here: what `--address ray://HOST:10001` means.

Through Ray Client the driver would stay on this machine and Tune run on the cluster, apart from the records
and the run folder. So the command itself goes there, to the head node, which is no spot machine. The actor
that holds it is detached: when the connection breaks the sweep goes on, and the same command shows it again.
"""

import logging
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import ray
import typer
from ray.exceptions import RayActorError, RayError

from search.cluster.connection import FORWARDED, check_answers, own_code
from search.cluster.interruption import hearing
from search.cluster.ray_token import guard_token
from search.cluster.remote_process import RemoteProcess
from search.config import Sweep
from trainables.errors import InputError

SCHEME = "ray://"
MODULE = "search.console.app"
"""What the process on the cluster runs."""
HEAD = "node:__internal_head__"
"""The resource that the head node has, and no other."""
NAMESPACE = "tuneoff"
SIDE_BY_SIDE = 16
"""Calls that the actor answers at a time: several may look on."""
PATIENCE = 3
"""At so many signals this process leaves, whatever the cluster does."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Command:
    """A command of `tuneoff` for the cluster."""

    name: str
    """Its run folder: where a command of that name is running already, it is shown instead."""
    arguments: list[str]
    """The command, then its own arguments and options."""
    sweep: Sweep | None = None
    """The first argument of the command; sent as text, since its file lies here."""


def run_sweep(address: str, sweep: Sweep, folder: str | None, *, strict: bool) -> int:
    """`tuneoff run` there; the exit code.

    Raises:
        InputError: a path is relative; or as `run_there`.
    """
    folder = _whole(folder or sweep.folder, "--folder" if folder else "storage")
    _whole(sweep.search.warm_start or "/", "search.warm_start")
    return run_there(address, Command(folder, ["run", "--folder", folder, *_strict(strict)], sweep))


def resume_sweep(address: str, folder: str, *, audit: int | None, strict: bool) -> int:
    """`tuneoff resume` there; the exit code. Raises as `run_sweep`."""
    audits = [] if audit is None else [f"--audit={audit}"]
    return run_there(
        address, Command(folder, ["resume", _whole(folder, "FOLDER"), *audits, *_strict(strict)])
    )


def check_sweep(address: str, sweep: Sweep, *, checks: bool) -> int:
    """`tuneoff check` there; the exit code. Raises as `run_there`."""
    name = f"check {uuid.uuid4().hex}"
    return run_there(address, Command(name, ["check", *([] if checks else ["--no-checks"])], sweep))


def run_there(address: str, command: Command, tell: Tell = typer.echo) -> int:
    """Run the command on the cluster at `ray://HOST:PORT`, tell what it prints, return its exit code.

    The first Ctrl-C or SIGTERM is passed on and ends the sweep in order, the second ends it at once.

    Raises:
        InputError: no cluster answers there that this machine's Ray and Python can talk to.
    """
    with _client(address), _heard() as signals:
        try:
            return _follow(_started(command, tell), signals, tell)
        except RayActorError as error:
            tell(f"The process on the cluster died: {_first_line(error)}")
            tell("The same command goes on from the records.")
        except (ConnectionError, RayError) as error:
            tell(f"The connection to the cluster broke: {_first_line(error)}")
            tell("The sweep goes on there; the same command shows it.")
    return 1


def _whole(path: str, key: str) -> str:
    if "://" in path or path.startswith("/"):
        return path
    raise InputError(
        f"{key}: must be a whole path or a URL, because the sweep runs on the cluster; got {path}. "
        "Name a folder that all its nodes share, or s3://BUCKET/PATH."
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _strict(strict: bool) -> list[str]:
    return ["--strict"] if strict else []


@contextmanager
def _client(address: str) -> Iterator[None]:
    """This very code goes along: what runs there is what read the sweep file here."""
    if find_spec("grpc") is None:
        raise InputError(f"--address {address}: Ray Client needs grpcio. Install tuneoff[client].")
    guard_token()
    try:
        check_answers(address.removeprefix(SCHEME))
        _connect(address)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"--address {address}: no Ray cluster answers there ({error}).") from error
    try:
        yield
    finally:
        ray.shutdown()


def _connect(address: str) -> None:
    """Connect; once more where the head did not bring up a server for us, as may happen to a busy one."""
    # What breaks is told in words; what Ray's server there says to itself is nobody's concern here.
    quiet: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    logging.getLogger("ray.util.client.logsclient").disabled = True
    try:
        ray.init(address, namespace=NAMESPACE, runtime_env=own_code(), **quiet)
    except ConnectionAbortedError:
        ray.init(address, namespace=NAMESPACE, runtime_env=own_code(), **quiet)


@contextmanager
def _heard() -> Iterator[list[int]]:
    """The signals that came. They are not raised, which might leave a call of Ray Client half done."""
    signals: list[int] = []

    def hear(number: int, frame: object) -> None:
        signals.append(number)
        if len(signals) == PATIENCE:
            os._exit(128 + number)

    with hearing(hear):
        yield signals


def _started(command: Command, tell: Tell) -> Any:
    """The actor that holds the command's process, its own or one that was there."""
    actor: Any = (
        ray.remote(RemoteProcess)
        .options(
            name=command.name,
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            resources={HEAD: 0.001},
            max_concurrency=SIDE_BY_SIDE,
        )
        .remote()
    )
    text = None if command.sweep is None else command.sweep.to_yaml()
    if ray.get(actor.start.remote(MODULE, command.arguments, text, environment(command.sweep))):
        tell("On the cluster, to whose nodes all paths belong. Ctrl-C ends the sweep in order.")
    else:
        tell(f"A command for {command.name} is there already: this shows it, whatever was asked for now.")
    return actor


def environment(sweep: Sweep | None) -> dict[str, str]:
    """Credentials, those among them that the URL of the studies names as ${NAME}."""
    url = (sweep and sweep.search.study_storage) or ""
    names = (*FORWARDED, *re.findall(r"\$\{(\w+)\}", url))
    return {name: os.environ[name] for name in names if name in os.environ}


def _follow(actor: Any, signals: list[int], tell: Tell) -> int:
    """Tell what is printed and pass signals on, to the end of the process."""
    seen, passed, code = 0, 0, None
    while code is None:
        for number in signals[passed:]:
            ray.get(actor.signal.remote(number))
            passed += 1
        lines, code = ray.get(actor.printed.remote(seen))
        seen += len(lines)
        for line in lines:
            tell(line)
    ray.kill(actor)
    return int(code)
