"""The training loop: one for all methods, for encoder-decoders and causal models. It knows no Ray."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainables import checkpoint
from trainables.batches import training_batches
from trainables.cost import Meter
from trainables.data import Split
from trainables.evaluation import Evaluation, evaluate
from trainables.loss import summed_cross_entropy
from trainables.model import total_parameters, trainable_parameters
from trainables.optimization import Optimization
from trainables.workbench import Workbench


class Diverged(ArithmeticError):
    """The training loss is no longer finite."""


class FineTuning:
    """One method with one set of hyperparameters, trained up to a budget of `examples`.

    `method` None is the untrained model, which can only be evaluated. The base model belongs to the
    workbench: `close` gives it back as it was.

    Each step takes its batch in portions of `micro_batch` examples (None: the task's `micro_batch_size`),
    whose gradients add up to the gradient of the whole batch.
    """

    def __init__(
        self,
        bench: Workbench,
        method: str | None,
        hyperparameters: Mapping[str, Any],
        *,
        examples: int,
        seed: int,
        micro_batch: int | None = None,
    ) -> None:
        self.bench = bench
        self.base = bench.base
        self.micro_batch = micro_batch or bench.task.micro_batch_size
        train = bench.encoded("train") if method is not None else []
        self.steps = 0
        self.examples_seen = 0
        self.meter = Meter(self.base.device)
        torch.manual_seed(seed)
        with self.meter.spending("startup_seconds"):
            self.model = self.base.attach(method, hyperparameters)
        self.parameters = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self.plan: list[list[int]] = []
        if method is not None:
            lengths = [example.length for example in train]
            self.plan = training_batches(
                lengths, hyperparameters["batch_size"], examples=examples, seed=str(seed)
            )
            self.optimization = Optimization(self.parameters.values(), hyperparameters, len(self.plan))

    def advance(self, examples: int) -> list[float]:
        """Train on the next `examples`, rounded up to whole steps; the loss of each step.

        Raises:
            Diverged: a loss was not finite.
        """
        goal = self.examples_seen + examples
        losses = []
        self.model.train()
        with self.meter.spending("train_seconds"):
            while self.examples_seen < goal and self.steps < len(self.plan):
                losses.append(self._step(self.plan[self.steps]))
        return losses

    def evaluate(self, split: Split, limit: int | None = None) -> Evaluation:
        """Score the model on a split, or on the workbench's choice of `limit` examples of it."""
        with self.meter.spending("evaluation_seconds"):
            return evaluate(self.bench, self.model, split, limit)

    def save(self, folder: Path, notes: Mapping[str, Any]) -> None:
        """Write a checkpoint under `folder`; `notes` come back from `load`."""
        tensors: dict[str, Tensor] = {f"weights/{name}": p for name, p in self.parameters.items()}
        tensors |= {f"optimizer/{key}": value for key, value in self.optimization.tensors().items()}
        tensors["rng/cpu"] = torch.get_rng_state()
        if self.base.device.type == "cuda":
            tensors["rng/cuda"] = torch.cuda.get_rng_state(self.base.device)
        state = {"steps": self.steps, "examples_seen": self.examples_seen, "cost": self.meter.state()}
        checkpoint.write(folder, self.examples_seen, tensors, {**state, "notes": notes})

    def load(self, folder: Path) -> dict[str, Any] | None:
        """Go on from the newest checkpoint under `folder`, bit for bit; its notes, or None without one."""
        found = checkpoint.read(folder)
        if found is None:
            return None
        tensors, state = found
        with torch.no_grad():
            for name, value in _under("weights", tensors).items():
                self.parameters[name].copy_(value)
        self.optimization.load_tensors(_under("optimizer", tensors))
        torch.set_rng_state(tensors["rng/cpu"])
        if "rng/cuda" in tensors and self.base.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["rng/cuda"], self.base.device)
        self.steps, self.examples_seen = state["steps"], state["examples_seen"]
        self.meter.go_on_from(state["cost"])
        notes: dict[str, Any] = state["notes"]
        return notes

    def cost(self) -> dict[str, float | int | None]:
        """What the trial has spent so far."""
        return {
            "trainable_parameters": trainable_parameters(self.model),
            "total_parameters": total_parameters(self.model),
            "peak_memory_bytes": self.meter.peak_memory_bytes,
            **self.meter.seconds,
        }

    def close(self) -> None:
        """Give the base model back, bit for bit as it was; this object is of no use afterwards."""
        model = self.model
        del self.model, self.parameters
        vars(self).pop("optimization", None)
        self.base.restore(model)

    def _step(self, indices: Sequence[int]) -> float:
        """One optimiser step: the mean loss over the batch's target tokens, however it is cut up."""
        train = self.bench.encoded("train")
        batch = [train[i] for i in indices]
        target_tokens = sum(len(example.target) for example in batch)
        size = self.micro_batch or len(batch)
        loss = 0.0
        for start in range(0, len(batch), size):
            part = summed_cross_entropy(self.base, self.model, batch[start : start + size]) / target_tokens
            part.backward()
            loss += part.item()
        if not math.isfinite(loss):
            raise Diverged(f"The training loss became {loss} at step {self.steps + 1}.")
        self.optimization.update(self.steps)
        self.steps += 1
        self.examples_seen += len(indices)
        return loss


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        key.removeprefix(f"{prefix}/"): value
        for key, value in tensors.items()
        if key.startswith(f"{prefix}/")
    }
