"""A few examples of a workbench, so that only these are tokenised and trained on."""

from collections.abc import Sequence
from dataclasses import replace

from trainables.data import Example
from trainables.workbench import Workbench


class Sample(Workbench):
    """A workbench with another's task and base model, and few of its examples."""

    def __init__(
        self, bench: Workbench, train: Sequence[Example], validation: Sequence[Example] = ()
    ) -> None:
        # Not Workbench.__init__: it would load the model and the data a second time.
        self.task = bench.task
        self.data_seed = bench.data_seed
        self.tokens = None
        self.base = bench.base
        self.data = replace(bench.data, train=list(train), validation=list(validation), test=[])
        self._encoded = {}


def longest(examples: Sequence[Example], count: int) -> list[Example]:
    """Return the `count` examples with the most characters to read and to write, the longest first."""
    return sorted(examples, key=lambda e: len(e.prompt) + len(e.references[0]), reverse=True)[:count]
