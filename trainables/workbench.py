"""What a process keeps from trial to trial: the base model, the data and its tokens."""

import gc
from functools import lru_cache, partial
from random import Random

from trainables.data import Example, Split, load
from trainables.encode import Encoded
from trainables.errors import InputError
from trainables.model import LoadedModel
from trainables.storage.place import Place, place
from trainables.task import Task
from trainables.tokens import kept, token_name


class Workbench:
    """A task made ready for trials in this process. Splits are tokenised when first asked for, once."""

    def __init__(self, task: Task, data_seed: int, tokens: Place | None = None) -> None:
        self.task = task
        self.data_seed = data_seed
        self.tokens = tokens
        """Where tokens are shared with the other processes of a sweep; None: each makes its own."""
        self.base = LoadedModel(task)
        self.data = load(task, data_seed)
        self._encoded: dict[Split, list[Encoded]] = {}

    @property
    def longest_output(self) -> int:
        """Tokens after which an output ends at the latest: the task's cap, or the longest label."""
        labels = self.base.encoder.targets(self.data.labels) if self.data.labels else []
        return max(map(len, labels), default=self.task.max_target_tokens)

    def encoded(self, split: Split) -> list[Encoded]:
        if split not in self._encoded:
            self._encoded[split] = self._tokenised(split)
        return self._encoded[split]

    def _tokenised(self, split: Split) -> list[Encoded]:
        encoder = self.base.encoder
        encode = partial(encoder.encode, self.data.split(split))
        if self.tokens is None:
            return encode()
        return kept(self.tokens / token_name(encoder, self.data.fingerprint), split, encode)

    def subset(self, split: Split, limit: int | None) -> list[tuple[Example, Encoded]]:
        """Return the examples to score: all, or the same `limit` of them for every trial."""
        rows = list(zip(self.data.split(split), self.encoded(split), strict=True))
        if limit is None or limit >= len(rows):
            return rows
        chosen = Random(f"{self.data_seed}/subset").sample(range(len(rows)), limit)
        return [rows[i] for i in sorted(chosen)]


@lru_cache(maxsize=1)
def workbench(task_json: str, data_seed: int, fingerprint: str, tokens: str | None = None) -> Workbench:
    """Return this process's workbench for a task.

    Raises:
        InputError: the data that this process loads is not the data that the driver saw.
    """
    bench = Workbench(Task.model_validate_json(task_json), data_seed, place(tokens) if tokens else None)
    if bench.data.fingerprint != fingerprint:
        raise InputError(
            f"The data loaded here (fingerprint {bench.data.fingerprint}) is not that of the sweep "
            f"({fingerprint}). Was a file changed while the sweep ran, or does it differ between nodes?"
        )
    # Libraries and model stay as long as the process: the collection before each trial need not walk them.
    gc.unfreeze()  # the workbench of another task, that this one replaces, may go
    gc.collect()
    gc.freeze()
    return bench
