"""What a process keeps from trial to trial: the base model, the data and its tokens."""

from functools import lru_cache
from random import Random

from trainables.data import Example, Split, load
from trainables.encode import Encoded
from trainables.errors import InputError
from trainables.model import Base
from trainables.task import Task


class Workbench:
    """A task made ready for trials in this process. Splits are tokenised when first asked for, once."""

    def __init__(self, task: Task, data_seed: int) -> None:
        self.task = task
        self.data_seed = data_seed
        self.base = Base(task)
        self.data = load(task, data_seed)
        self._encoded: dict[Split, list[Encoded]] = {}

    def encoded(self, split: Split) -> list[Encoded]:
        if split not in self._encoded:
            self._encoded[split] = self.base.encoder.encode(self.data.split(split))
        return self._encoded[split]

    def subset(self, split: Split, limit: int | None) -> list[tuple[Example, Encoded]]:
        """The examples that are scored: all, or the same `limit` of them for every trial."""
        rows = list(zip(self.data.split(split), self.encoded(split), strict=True))
        if limit is None or limit >= len(rows):
            return rows
        chosen = Random(f"{self.data_seed}/subset").sample(range(len(rows)), limit)
        return [rows[i] for i in sorted(chosen)]


@lru_cache(maxsize=1)
def workbench(task_json: str, data_seed: int, fingerprint: str) -> Workbench:
    """The process's workbench for a task.

    Raises:
        InputError: the data that this process loads is not the data that the driver saw.
    """
    bench = Workbench(Task.model_validate_json(task_json), data_seed)
    if bench.data.fingerprint != fingerprint:
        raise InputError(
            f"The data loaded here (fingerprint {bench.data.fingerprint}) is not that of the sweep "
            f"({fingerprint}). Was a file changed while the sweep ran, or does it differ between nodes?"
        )
    return bench
