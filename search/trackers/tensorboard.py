"""The sweep as TensorBoard shows it: a run a trial, a small event file a rung, written as its record is.

Ray Tune's own loggers are off: their files lie in folders that each start removes, named after Tune's ids.
These lie under the records' ids, and a sweep that goes on adds to them. They may be deleted; what was written
before is not written again.
"""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from search.records import Event, Record, RunFolder
from trainables.rung_report import Rung
from trainables.storage.atomic import new_file
from trainables.storage.place import remove


@contextmanager
def absent(module: str) -> Iterator[None]:
    """For the length of the block `import module` fails, unless it has been imported already."""
    if module in sys.modules:
        yield
        return
    # None is how Python's own import system marks a module that must not be looked for.
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


with absent("torch"):  # it would be imported, for two seconds, only to tell its tensors from other arrays
    from tensorboardX.proto.event_pb2 import Event as Entry
    from tensorboardX.record_writer import RecordWriter
    from tensorboardX.summary import hparams, scalar

VERSION = "brain.Event:2"
"""Of the format, named by the first entry of a file."""


class TensorBoardLogger:
    """A listener of a sweep's events: each rung becomes scalars, by the examples seen."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def __call__(self, event: Event, record: Record) -> None:
        if event == "begin" and not record.rungs:  # a run of the final may be done anew
            remove(self.folder.tensorboard(record))
        if event == "rung":
            self._write(record, record.rungs[-1])

    def _write(self, record: Record, rung: Rung) -> None:
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{rung.rung}"
        with new_file(self.folder.tensorboard(record) / name, durable=False) as file:
            writer = RecordWriter(str(file))
            for entry in (Entry(wall_time=time.time(), file_version=VERSION), *entries(record, rung)):
                writer.write(entry.SerializeToString())
            writer.close()


def entries(record: Record, rung: Rung) -> Iterator[Entry]:
    """What is known at a rung; with the first scores also the hyperparameters, for TensorBoard's table."""
    if rung.scores and not any(earlier.scores for earlier in record.rungs[: rung.rung]):
        shown = {"method": record.method} | record.hyperparameters
        for summary in hparams(shown, dict(_scores(record, rung))):
            yield Entry(wall_time=time.time(), summary=summary)
    for tag, value in scalars(record, rung):
        yield Entry(wall_time=time.time(), step=rung.examples, summary=scalar(tag, value))


def scalars(record: Record, rung: Rung) -> Iterator[tuple[str, float]]:
    """Tags and values: scores in points, losses in nats a token, costs by their names."""
    yield from _scores(record, rung)
    losses = {f"loss/{record.split}": rung.loss, "loss/train": rung.train_loss}
    costs = {f"cost/{name}": value for name, value in rung.cost.items()}
    yield from ((tag, value) for tag, value in (losses | costs).items() if value is not None)


def _scores(record: Record, rung: Rung) -> Iterator[tuple[str, float]]:
    yield from ((f"{record.split}/{name}", value) for name, value in rung.scores.items() if value is not None)
