"""Allow one driver a run folder in an object store, by a lease in terms that its holder renews.

Nothing in an object store ends with the process that made it. So a term counts as long as it changes: another
process watches it for `PATIENCE` renewals, by its own clock, and succeeds it if it stood still.

Each term is an object of its own, and the last one counts. To begin the next is to make an object that must
not be there yet (S3's `If-None-Match`, Google's `ifGenerationMatch=0`): of several processes that judged a
term to be over one succeeds it, and none writes or removes what another holds. The last term stays, marked as
ended: if it were removed, a process that has read it would begin the next while another begins anew.
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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

import psutil

from trainables.errors import InputError
from trainables.storage.place import Place, bytes_of

if TYPE_CHECKING:
    from upath import UPath

RENEWAL_SECONDS = 10.0
PATIENCE = 3

Term = dict[str, object]
"""Its holder's `host`, `pid`, `started` and `token`; `renewals`, their number; `ended`, once it is over."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    """The lease whose terms are the objects of `folder`, numbered from 1."""

    folder: "UPath"
    renewal_seconds: float = RENEWAL_SECONDS

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lease for the length of the block.

        Raises:
            InputError: another process holds it.
        """
        started = psutil.Process().create_time()
        mine = {
            "host": socket.gethostname(), "pid": os.getpid(), "started": started, "token": uuid.uuid4().hex,
        }  # fmt: skip
        term = self._begin(mine)
        done = Event()
        renewing = Thread(target=self._renew, args=(term, mine, done), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()
            self._write(term, {**mine, "ended": True})

    def is_held(self) -> bool:
        """Tell whether a process renews it; of a process elsewhere this waits for `PATIENCE` renewals."""
        return self._is_renewed(self._last())

    def _begin(self, mine: Term) -> int:
        """Begin the next term once the last one is over; return its number."""
        while True:
            last = self._last()
            if self._is_renewed(last):
                other = self._read(last) or {}
                raise InputError(
                    f"Another tuneoff process is running in {self.folder.parent}: process {other.get('pid')} "
                    f"on {other.get('host')}."
                )
            # Where others came and went since `last` was read, it can be made, but a later one is there.
            if self._make(last + 1, mine) and self._last() == last + 1:
                for term in self._terms():
                    if term <= last:
                        self._remove(term)
                return last + 1

    def _is_renewed(self, term: int) -> bool:
        found = self._read(term)
        if found is None or "ended" in found:
            return False
        if found["host"] == socket.gethostname():
            return _runs(found)
        time.sleep(PATIENCE * self.renewal_seconds)
        later = self._read(term)
        return later is not None and "ended" not in later and later != found

    def _renew(self, term: int, mine: Term, done: Event) -> None:
        renewals = 0
        while not done.wait(self.renewal_seconds):
            renewals += 1
            try:
                if self._last() > term:
                    stop_this_process(self.folder.parent)
                    return
                self._write(term, {**mine, "renewals": renewals})
            except OSError as error:  # tried again; a holder that cannot renew its lease loses it
                logger.warning("The lease %s was not renewed: %s", self.folder, error)

    def _last(self) -> int:
        """Return the number of the last term; 0 before the first."""
        return max(self._terms(), default=0)

    def _terms(self) -> list[int]:
        with suppress(FileNotFoundError):
            names = [path.rpartition("/")[2] for path in self.folder.fs.ls(self.folder.path, detail=False)]
            return [int(name) for name in names if name.isdigit()]
        return []

    def _make(self, term: int, mine: Term) -> bool:
        """Make the term and tell whether it is ours: a store that answers too late is asked again."""
        try:
            self._write(term, mine, mode="create")
        except FileExistsError:
            return self._read(term) == mine
        return True

    def _remove(self, term: int) -> None:
        self._file(term).unlink(missing_ok=True)

    def _write(self, term: int, content: Term, mode: str = "overwrite") -> None:
        file = self._file(term)
        file.fs.pipe_file(file.path, json.dumps(content).encode(), mode=mode)

    def _read(self, term: int) -> Term | None:
        try:
            found: Term = json.loads(bytes_of(self._file(term)))
        except FileNotFoundError:
            return None
        return found

    def _file(self, term: int) -> "UPath":
        return self.folder / f"{term:08}"


def stop_this_process(folder: Place) -> None:
    """End this process in order, as a signal does, because another holds `folder` now."""
    logger.error("Another process took %s over: this one was not heard of for too long.", folder)
    _thread.interrupt_main(signal.SIGTERM)


def _runs(found: Term) -> bool:
    """Tell whether the holder still runs on this machine: its number may be another process's by now."""
    try:
        return psutil.Process(int(str(found["pid"]))).create_time() == found["started"]
    except psutil.NoSuchProcess:
        return False
