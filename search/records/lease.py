"""One driver a run folder in an object store: a lease that its holder renews.

Nothing in an object store ends with the process that made it. So a lease counts as long as it changes: a
newcomer that finds one watches it for `PATIENCE` renewals, by its own clock, and takes it over if it stood
still. Where the store can refuse to replace an object (S3's `If-None-Match`), of two joining nodes one wins.
"""

import _thread
import json
import logging
import os
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

import psutil

from trainables.errors import InputError
from trainables.storage.place import bytes_of

if TYPE_CHECKING:
    from upath import UPath

RENEWAL_SECONDS = 10.0
PATIENCE = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    """The lease at the object `file`."""

    file: "UPath"
    renewal_seconds: float = RENEWAL_SECONDS

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it for the length of the block.

        Raises:
            InputError: another process holds it.
        """
        started = psutil.Process().create_time()
        mine = {
            "host": socket.gethostname(), "pid": os.getpid(), "started": started, "token": uuid.uuid4().hex,
        }  # fmt: skip
        self._take(mine)
        done = Event()
        renewing = Thread(target=self._renew, args=(mine, done), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()
            if (self._read() or {}).get("token") == mine["token"]:
                self.file.unlink(missing_ok=True)

    def is_held(self) -> bool:
        """Whether a process renews it; to see that of another machine's takes a while."""
        found = self._read()
        if found is None:
            return False
        if found["host"] == socket.gethostname():
            return _runs(found)
        time.sleep(PATIENCE * self.renewal_seconds)
        later = self._read()
        return later is not None and later != found

    def _take(self, mine: dict[str, object]) -> None:
        try:
            self._write(mine, mode="create")
        except FileExistsError:
            if self.is_held():
                other = self._read() or {}
                raise InputError(
                    f"Another tuneoff process is running in {self.file.parent}: process {other.get('pid')} "
                    f"on {other.get('host')}."
                ) from None
            self.file.unlink(missing_ok=True)
            self._take(mine)

    def _renew(self, mine: dict[str, object], done: Event) -> None:
        renewals = 0
        while not done.wait(self.renewal_seconds):
            renewals += 1
            try:
                if (self._read() or mine)["token"] != mine["token"]:
                    logger.error(
                        "Another process took %s over: this one was not heard of for too long.", self.file
                    )
                    _thread.interrupt_main(signal.SIGTERM)
                    return
                self._write({**mine, "renewals": renewals})
            except OSError as error:  # tried again: the holder of a lease that stands still loses it
                logger.warning("The lease %s was not renewed: %s", self.file, error)

    def _write(self, lease: dict[str, object], mode: str = "overwrite") -> None:
        self.file.fs.pipe_file(self.file.path, json.dumps(lease).encode(), mode=mode)

    def _read(self) -> dict[str, object] | None:
        try:
            found: dict[str, object] = json.loads(bytes_of(self.file))
        except FileNotFoundError:
            return None
        return found


def _runs(found: dict[str, object]) -> bool:
    """Whether the holder is still a process of this machine: the number alone may be another's by now."""
    try:
        return psutil.Process(int(str(found["pid"]))).create_time() == found["started"]
    except psutil.NoSuchProcess:
        return False
