"""A process on the head of a cluster that is read and signalled from afar."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Condition, Thread

import ray
from ray._private.utils import remove_ray_internal_flags_from_env

WAIT_SECONDS = 1.0
"""How long an answer may wait for something to be printed."""
LINGER_SECONDS = 60.0
"""How long after its end a process can still be asked; Ray Client tries to reconnect for half of that."""


class RemoteProcess:
    """One process, and every line that it has printed.

    A Ray actor, whose methods may be called side by side: one reads while another signals.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._printed: list[str] = []
        self._code: int | None = None
        self._changed = Condition()

    def start(
        self, module: str, arguments: list[str], sweep: str | None, environment: Mapping[str, str]
    ) -> bool:
        """Run the Python module, joined to this cluster, unless it is running already: then False.

        Args:
            module: with a main part that takes the arguments of `tuneoff`.
            arguments: the command, its own arguments and its options.
            sweep: the text of a sweep file, whose path is then put after the command.
            environment: what the process is given where this machine does not say it; credentials, which
                for that reason are no part of a runtime environment: Ray logs those.
        """
        with self._changed:
            if self._process is not None:
                return False
            folder = Path(tempfile.mkdtemp(prefix="tuneoff-"))
            command, *rest = arguments
            if sweep is not None:
                (folder / "sweep.yaml").write_text(sweep, encoding="utf-8")
                rest = [str(folder / "sweep.yaml"), *rest]
            address = ["--address", ray.get_runtime_context().gcs_address]
            self._process = subprocess.Popen(
                # -P: what lies in the working directory is not taken for a package
                [sys.executable, "-P", "-m", module, command, *rest, *address],
                env=_environment(environment),
                cwd=Path.home(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                preexec_fn=_hear_interrupts,  # noqa: PLW1509 (as Ray's own job supervisor does)
            )
        Thread(target=self._follow, args=(self._process, folder), daemon=True).start()
        return True

    def printed(self, seen: int) -> tuple[list[str], int | None]:
        """The lines after the first `seen`, as soon as there are any; after the last of all the exit code."""
        with self._changed:
            self._changed.wait_for(
                lambda: len(self._printed) > seen or self._code is not None, timeout=WAIT_SECONDS
            )
            return self._printed[seen:], self._code

    def signal(self, number: int) -> None:
        """Send the process a signal, as a shell on its machine would."""
        assert self._process is not None
        self._process.send_signal(number)

    def _follow(self, process: subprocess.Popen[str], folder: Path) -> None:
        """Read to the end; some time after it the actor goes, should nobody have asked for the end."""
        assert process.stdout is not None
        for line in process.stdout:
            with self._changed:
                self._printed.append(line.rstrip("\n"))
                self._changed.notify_all()
        code = process.wait()
        shutil.rmtree(folder, ignore_errors=True)
        with self._changed:
            self._code = code if code >= 0 else 128 - code  # as a shell tells it
            self._changed.notify_all()
        time.sleep(LINGER_SECONDS)
        ray.kill(ray.get_runtime_context().current_actor)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """That of a driver: this worker's own without Ray's marks of a worker."""
    environment = {**given, **os.environ, "PYTHONUNBUFFERED": "1"}
    remove_ray_internal_flags_from_env(environment)
    return environment


def _hear_interrupts() -> None:
    """Ray's processes are deaf to Ctrl-C, and so would be what they start."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, signal.SIG_DFL)
