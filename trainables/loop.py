"""The training loop: one for all methods, for encoder-decoders and causal models. It knows no Ray."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial, reduce
from operator import add
from typing import Any, TypeVar

import torch
from torch import Tensor

from trainables import methods
from trainables.amounts import number
from trainables.batches import order_of, padded_tokens, training_batches
from trainables.cost.memory import limit_bytes, release_memory
from trainables.cost.meter import Figures, Meter
from trainables.data import Split
from trainables.encode import Encoded
from trainables.evaluation import Evaluation, evaluate
from trainables.loss import summed_cross_entropy
from trainables.losses import Diverged, Losses
from trainables.micro_batches import MicroBatches
from trainables.model import total_parameters, trainable_parameters
from trainables.optimization import Optimization, loss_scaler
from trainables.out_of_memory import OutOfMemory, Shortage, attempt
from trainables.packing import packed_tokens
from trainables.preemption import is_noticed
from trainables.random_state import RandomState
from trainables.storage import checkpoint
from trainables.storage.place import Place
from trainables.workbench import Workbench

T = TypeVar("T")


class FineTuning:
    """One method with one set of hyperparameters, trained up to a budget of `examples`.

    `method` None is the untrained model, which can only be evaluated. The base model belongs to the
    workbench: `close` gives it back as it was.

    Each step cuts its batch up into `micro_batch` examples (None: the task's `micro_batch_size`),
    whose gradients add up to the gradient of the whole batch. The first time that memory runs out, in a
    step or in an evaluation, the micro-batch is halved, and the work is done again from the state before it.
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
        began = time.perf_counter()
        self.bench = bench
        self.base = bench.base
        self.micro_batches = MicroBatches(micro_batch or bench.task.micro_batch_size)
        self.capacity = bench.task.packed_tokens
        self.steps = 0
        self.examples_seen = 0
        self.plan = _plan(bench, method, hyperparameters, examples, seed)
        torch.manual_seed(seed)
        self.meter = Meter(self.base.device)
        self.meter.seconds["startup_seconds"] = time.perf_counter() - began
        with self.meter.spending("startup_seconds"):
            self.model = self.base.attach(method, hyperparameters)
            self.parameters = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
            if method is not None:
                self.optimization = Optimization(
                    self.parameters.values(),
                    hyperparameters,
                    len(self.plan),
                    scaler=loss_scaler(self.base.device, self.base.autocast_dtype),
                )
                self.callback = methods.callback(method, self.model, hyperparameters, len(self.plan))
                self.optimization.optimizer.register_step_post_hook(
                    lambda *_: self.callback.after_step(self.steps)
                )

    def advance(self, examples: int) -> list[float]:
        """Train on the next `examples`, rounded up to whole steps; return each step's loss in nats a token.

        Stop early, after a whole step, if this machine is about to be taken away.

        Raises:
            Diverged: a loss was not finite; on a device its step and the one after it are done all the same.
            OutOfMemory: memory ran out a second time, or with one example at a time.
        """
        goal = self.examples_seen + examples
        losses = Losses()
        self.model.train()
        with self.meter.spending("train_seconds"):
            while self.examples_seen < goal and self.steps < len(self.plan) and not is_noticed():
                batch = self.plan[self.steps]
                halve = partial(self.micro_batches.halve_training, len(batch))
                self._within_memory(partial(self._step, batch, losses), halve)
            return losses.all()

    def evaluate(self, split: Split, limit: int | None = None) -> Evaluation:
        """Score the model on a split, or on the workbench's choice of `limit` examples of it.

        Raises:
            OutOfMemory: memory ran out a second time.
        """

        def work() -> Evaluation:
            return evaluate(self.bench, self.model, split, limit, parts=self.micro_batches.evaluation_parts)

        with self.meter.spending("evaluation_seconds"):
            return self._within_memory(work, self.micro_batches.halve_evaluation)

    def save(self, folder: Place, notes: Mapping[str, Any]) -> None:
        """Write a checkpoint under `folder`; `notes` come back from `load`."""
        tensors: dict[str, Tensor] = {f"weights/{name}": p for name, p in self.parameters.items()}
        tensors |= {f"optimizer/{key}": value for key, value in self.optimization.tensors().items()}
        tensors |= {f"callback/{key}": value for key, value in self.callback.tensors().items()}
        tensors |= {f"rng/{name}": value for name, value in RandomState(self.base.device).tensors.items()}
        state = {
            "steps": self.steps,
            "examples_seen": self.examples_seen,
            "micro-batches": asdict(self.micro_batches),
            "cost": self.meter.state(),
            "scaler": self.optimization.scaler.state_dict(),
        }
        checkpoint.write(folder, self.examples_seen, tensors, {**state, "notes": notes})

    def load(
        self, folder: Place, on_damage: Callable[[str], None] = lambda remark: None
    ) -> dict[str, Any] | None:
        """Resume bit for bit from the newest checkpoint under `folder`; return its notes, if there is one."""
        with self.meter.spending("startup_seconds"):
            found = checkpoint.read(folder, on_damage)
            if found is None:
                return None
            tensors, state = found
            with torch.no_grad():
                for name, value in _under("weights", tensors).items():
                    self.parameters[name].copy_(value)
            self.optimization.load_tensors(_under("optimizer", tensors))
            self.callback.load_tensors(_under("callback", tensors))
            if scaler := state.get("scaler"):  # empty where nothing is scaled
                self.optimization.scaler.load_state_dict(scaler)
            RandomState(self.base.device).restore(_under("rng", tensors))
            self.micro_batches = MicroBatches(**state["micro-batches"])
            self.steps, self.examples_seen = state["steps"], state["examples_seen"]
            self.meter.go_on_from(state["cost"])
        notes: dict[str, Any] = state["notes"]
        return notes

    def cost(self) -> Figures:
        """Return what the trial has spent so far."""
        trainable, total = trainable_parameters(self.model), total_parameters(self.model)
        return {
            "trainable_parameters": trainable,
            "total_parameters": total,
            "trainable_percent": 100 * trainable / total,
            "micro_batch_examples": self.micro_batches.micro_batch,
            **self.meter.figures(),
        }

    def close(self) -> None:
        """Give the base model back, bit for bit as it was; this object is of no use afterwards."""
        model = self.model
        del self.model, self.parameters
        for name in ("optimization", "callback"):
            vars(self).pop(name, None)
        self.base.restore(model)

    def _step(self, indices: Sequence[int], losses: Losses) -> None:
        """Run one optimiser step; add its mean loss over all the batch's target tokens to `losses`."""
        batch = [self.bench.encoded("train")[i] for i in indices]
        target_tokens = sum(len(example.target) for example in batch)
        micro_batches = list(self.micro_batches.of(batch))
        computed = sum(map(self._places, micro_batches))
        parts = []
        with self.meter.counting_flops(computed):
            for micro_batch in micro_batches:
                summed = summed_cross_entropy(self.base, self.model, micro_batch, capacity=self.capacity)
                part = summed / target_tokens
                self.optimization.scaler.scale(part).backward()
                parts.append(part.detach())
        losses.add(self.steps + 1, reduce(add, parts))
        self.optimization.unscale()
        self.callback.regularise()
        if not self.optimization.update(self.steps):
            self._check_scale()
            self._step(indices, losses)
            return
        self.steps += 1
        self.examples_seen += len(indices)
        self.meter.trained(examples=len(indices), target_tokens=target_tokens, padded_tokens=computed)

    def _check_scale(self) -> None:
        """Raise Diverged where the gradients of fp16 overflow at a scale that enlarges nothing any more."""
        if self.optimization.scaler.get_scale() < 1:
            raise Diverged(
                f"The gradients of step {self.steps + 1} overflow fp16, however small the loss is scaled. "
                "Set task.precision to bf16 or fp32."
            )

    def _places(self, micro_batch: Sequence[Encoded]) -> int:
        """Count the tokens of a forward pass, padding included."""
        if self.capacity is None:
            return padded_tokens(micro_batch, is_encoder_decoder=self.base.is_encoder_decoder)
        return packed_tokens([example.length for example in micro_batch], self.capacity)

    def _within_memory(self, work: Callable[[], T], halve: Callable[[], bool]) -> T:
        """Run `work`; if memory runs out, rerun it from the state before, in smaller micro-batches.

        Weights and optimiser are as they were: an update allocates nothing that it has not had before.
        """
        random = RandomState(self.base.device)
        while isinstance(result := attempt(work), Shortage):
            if self.parameters:
                self.optimization.drop()
            random.restore()
            release_memory()
            if not halve():
                raise OutOfMemory(self._numbers(result))
        return result

    def _numbers(self, shortage: Shortage) -> str:
        """Describe sizes, so that a reader can choose a smaller batch or a larger device."""
        device = self.base.device
        figures = {
            "peak of the trial": self.meter.peak_memory_bytes,
            f"limit of the {device.type}": limit_bytes(device),
        }
        told = [f"{name} {'unknown' if n is None else f'{number(n)} bytes'}" for name, n in figures.items()]
        return f"Out of memory after step {self.steps}: {shortage}, {', '.join(told)}, {self.micro_batches}."


def _plan(
    bench: Workbench, method: str | None, hyperparameters: Mapping[str, Any], examples: int, seed: int
) -> list[list[int]]:
    """Return the batches of the whole budget; without a method there are none."""
    if method is None:
        return []
    is_seq2seq = bench.base.is_encoder_decoder
    lengths = [order_of(example, is_encoder_decoder=is_seq2seq) for example in bench.encoded("train")]
    return training_batches(lengths, hyperparameters["batch_size"], examples=examples, seed=str(seed))


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        key.removeprefix(f"{prefix}/"): value
        for key, value in tensors.items()
        if key.startswith(f"{prefix}/")
    }
