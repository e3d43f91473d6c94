"""A method on a few real examples, trained a little: what most checks look at."""

import math
from collections.abc import Callable
from functools import partial
from random import Random

from trainables.loop import FineTuning
from trainables.loss import mean_cross_entropy
from trainables.preflight.paths import Logits, generate_path, training_path
from trainables.preflight.request import Request
from trainables.preflight.sample import Sample
from trainables.preflight.snapshot import snapshot
from trainables.workbench import Workbench

EXAMPLES = 8
"""Examples that are learned, over and over: one batch."""
ANSWERED = 4
"""Of these, examples whose logits are kept: `(target tokens, vocabulary)` each, large for some models."""
EVALUATED = 16
"""Validation examples that are generated for."""
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
        self.sample = _sample(bench)
        self.batch = self.sample.encoded("train")
        self.answered = self.batch[:ANSWERED]
        # No warm-up: the first steps must count.
        self.hyperparameters = {**request.hyperparameters, "batch_size": len(self.batch), "warmup_ratio": 0.0}
        self.untouched = snapshot(self.base.model)
        self.pretrained = {id(parameter) for parameter in self.base.model.parameters()}
        self.untrained: tuple[Logits, Logits] = self.answers()
        """Of the model without the method: the training path's logits, the generate path's."""
        self.loss_before = math.nan
        """Of the batch, when training began."""
        self.step_seconds: list[float] = []

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


def _sample(bench: Workbench) -> Sample:
    chance = Random(f"{bench.data_seed}/preflight")
    train, validation = bench.data.train, bench.data.validation
    return Sample(
        bench,
        chance.sample(train, min(EXAMPLES, len(train))),
        chance.sample(validation, min(EVALUATED, len(validation))),
    )
