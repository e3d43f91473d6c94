"""A method on a few real examples, trained a little: what most checks look at."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from weakref import WeakKeyDictionary

from trainables.data import Example
from trainables.loop import FineTuning
from trainables.loss import mean_cross_entropy
from trainables.preflight.paths import Logits, generate_path, training_path
from trainables.preflight.request import Request
from trainables.preflight.sample import Sample
from trainables.preflight.snapshot import Snapshot, snapshot
from trainables.workbench import Workbench

EXAMPLES = 4
"""Examples that are learned, over and over: one batch."""
ANSWERED = 3
"""Of these, examples whose logits are kept: `(target tokens, vocabulary)` each, large for some models."""
EVALUATED = 8
"""Validation examples that are generated for."""
DRAWN = 8
"""Of so many times as many examples those are taken that stand evenly in the order of length, so that a few
are as long, on average, as all."""
STEPS = 24
"""The longest training of a probe."""
SEED = 0


class Probe:
    """One method, attached and trained on one batch; `close` takes it off again."""

    def __init__(self, bench: Workbench, request: Request) -> None:
        self.bench = bench
        self.request = request
        self.base = bench.base
        self._tuning: FineTuning | None = None
        self._known = _known(bench)
        self.sample = self._known.sample
        self.batch = self.sample.encoded("train")
        self.answered = self.batch[:ANSWERED]
        # No warm-up: the first steps must count.
        self.hyperparameters = {**request.hyperparameters, "batch_size": len(self.batch), "warmup_ratio": 0.0}
        self.pretrained = {id(parameter) for parameter in self.base.model.parameters()}
        if self._known.untrained is None:
            self._known.untrained = self.answers()
        self.loss_before = math.nan
        """Of the batch, when training began."""
        self.step_seconds: list[float] = []

    @property
    def untouched(self) -> Snapshot:
        """The base model before any method was attached to it."""
        return self._known.untouched

    @property
    def untrained(self) -> tuple[Logits, Logits]:
        """Of the model without the method: the training path's logits, the generate path's."""
        assert self._known.untrained is not None
        return self._known.untrained

    @property
    def tuning(self) -> FineTuning:
        assert self._tuning is not None
        return self._tuning

    def attach(self) -> None:
        """Attach the method; any error is the method's own."""
        budget = STEPS * len(self.batch)
        self._tuning = FineTuning(
            self.sample, self.request.method, self.hyperparameters, examples=budget, seed=SEED
        )

    def train(self, steps: int) -> None:
        if not self.step_seconds:
            self.loss_before = self.loss()
        for _ in range(steps):
            before = self.tuning.meter.seconds["train_seconds"]
            self.tuning.advance(len(self.batch))
            self.step_seconds.append(self.tuning.meter.seconds["train_seconds"] - before)

    def loss(self) -> float:
        """Cross-entropy of the batch without dropout, nats a target token."""
        return mean_cross_entropy(self.base, self.tuning.model.eval(), self.batch)

    def answers(self) -> tuple[Logits, Logits]:
        """Compute the logits of `answered` in the training path and in the generate path."""
        in_training, in_generation = self.paths()
        return in_training(), in_generation()

    def paths(self) -> tuple[Callable[[], Logits], Callable[[], Logits]]:
        """Return the two functions that compute them."""
        model = self.base.model if self._tuning is None else self.tuning.model
        return (
            partial(training_path, self.base, model, self.answered),
            partial(generate_path, self.base, model, self.answered),
        )

    def close(self) -> None:
        """Give the base model back."""
        tuning, self._tuning = self._tuning, None
        if tuning is None:
            self.base.restore(self.base.model)
        else:
            tuning.close()


class _Known:
    """What the checks of all methods on one base model share: a method leaves it as it was, or fails."""

    def __init__(self, bench: Workbench) -> None:
        self.sample = _sample(bench)
        self.untouched = snapshot(bench.base.model)
        self.untrained: tuple[Logits, Logits] | None = None


_KNOWN: WeakKeyDictionary[Workbench, _Known] = WeakKeyDictionary()


def _known(bench: Workbench) -> _Known:
    known = _KNOWN.get(bench)
    if known is None or known.sample.base is not bench.base:
        known = _KNOWN[bench] = _Known(bench)
    return known


def _sample(bench: Workbench) -> Sample:
    chance = Random(f"{bench.data_seed}/preflight")
    return Sample(
        bench,
        _spread(bench.data.train, EXAMPLES, chance),
        _spread(bench.data.validation, EVALUATED, chance),
    )


def _spread(examples: Sequence[Example], count: int, chance: Random) -> list[Example]:
    """Draw `count` examples, of all lengths."""
    drawn = chance.sample(examples, min(DRAWN * count, len(examples)))
    drawn.sort(key=lambda example: len(example.prompt) + len(example.references[0]))
    count = min(count, len(drawn))
    return [drawn[(2 * i + 1) * len(drawn) // (2 * count)] for i in range(count)]
