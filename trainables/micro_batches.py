"""How much of a batch is in memory at once; halved once where memory runs out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass
class MicroBatches:
    """The micro-batch of training, and into how many parts the batches of evaluation are cut."""

    micro_batch: int | None
    """Examples per forward pass of a training step; None: the whole batch."""
    evaluation_parts: int = 1
    is_halved: bool = False

    def of(self, batch: Sequence[T]) -> Iterator[Sequence[T]]:
        """Split a batch into micro-batches."""
        size = self.micro_batch or len(batch)
        return (batch[start : start + size] for start in range(0, len(batch), size))

    def halve_training(self, batch_size: int) -> bool:
        """Halve the micro-batch of a batch that did not fit; return False if it cannot be halved (again)."""
        micro_batch = min(self.micro_batch or batch_size, batch_size)
        if self.is_halved or micro_batch == 1:
            return False
        self.micro_batch, self.is_halved = micro_batch // 2, True
        return True

    def halve_evaluation(self) -> bool:
        """Halve the batches of evaluation; return False if something was halved before."""
        if self.is_halved:
            return False
        self.evaluation_parts, self.is_halved = 2, True
        return True

    def __str__(self) -> str:
        size = "the whole batch" if self.micro_batch is None else f"{self.micro_batch} examples"
        halved = "halved once" if self.is_halved else "not halved"
        return f"micro-batch {size}, evaluation batches in {self.evaluation_parts} parts, {halved}"
