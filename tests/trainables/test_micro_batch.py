"""However a batch is cut up, its gradient and the weights after some steps are those of the whole batch."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.amp import GradScaler

from trainables.loop import FineTuning
from trainables.loss import summed_cross_entropy
from trainables.workbench import Workbench

BATCH = 8
PLAIN = {"batch_size": BATCH, "warmup_ratio": 0.0, "weight_decay": 0.0, "schedule": "linear"}
CASES = pytest.mark.parametrize(
    ("family", "method", "changes"),
    [
        ("t5", "full", {}),
        ("t5", "lora", {"dropout": 0.0}),
        ("llama", "full", {}),
        ("llama", "lora", {"dropout": 0.0}),
        ("bart", "prompt_tuning", {}),
    ],
)


class GradientsKept:
    """In place of the optimiser: keeps the gradients that it is given, and changes nothing."""

    def __init__(self, tuning: FineTuning) -> None:
        self.tuning = tuning
        self.gradients: list[dict[str, Tensor | None]] = []
        self.scaler = GradScaler(enabled=False)

    def unscale(self) -> None:
        """Leave the gradients as they are: without fp16 they are not scaled."""

    def update(self, step: int) -> bool:
        self.gradients.append({name: p.grad for name, p in self.tuning.parameters.items()})
        for parameter in self.tuning.parameters.values():
            parameter.grad = None
        return True


@CASES
def test_the_gradient_is_that_of_the_batch_in_one_forward_pass(
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    family: str,
    method: str,
    changes: dict[str, Any],
) -> None:
    table = bench(family, dropout=0.0)
    tuning = tune(table, method, examples=BATCH, **PLAIN | changes)
    batch = [table.encoded("train")[i] for i in tuning.plan[0]]
    targets = [len(example.target) for example in batch]
    assert len(set(targets)) > 1  # else a mean of the micro-batches' means would do as well
    mean = summed_cross_entropy(table.base, tuning.model.train(), batch) / sum(targets)
    mean.backward()
    whole = {name: p.grad for name, p in tuning.parameters.items()}
    tuning.close()
    for size in (1, 3, 4, BATCH, 2 * BATCH):
        tuning = tune(table, method, examples=BATCH, micro_batch=size, **PLAIN | changes)
        tuning.optimization = kept = GradientsKept(tuning)  # type: ignore[assignment]
        losses = tuning.advance(BATCH)
        tuning.close()
        torch.testing.assert_close(losses, [mean.item()], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(kept.gradients, [whole], rtol=1e-4, atol=1e-6)


@CASES
def test_weights_after_some_steps_are_those_of_whole_batches(
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    family: str,
    method: str,
    changes: dict[str, Any],
) -> None:
    """Adam takes the sign of a gradient, so where a weight's gradient is rounding only, it may differ."""
    table, runs = bench(family, dropout=0.0), []
    for size in (None, 3):
        tuning = tune(table, method, examples=5 * BATCH, micro_batch=size, **PLAIN | changes)
        start = {name: p.detach().clone() for name, p in tuning.parameters.items()}
        losses = tuning.advance(5 * BATCH)
        runs.append((losses, {name: p.detach() - start[name] for name, p in tuning.parameters.items()}))
        tuning.close()
    (losses, moved), (split_losses, split_moved) = runs
    torch.testing.assert_close(split_losses, losses, rtol=1e-4, atol=1e-5)
    far = torch.cat([change.flatten() for change in moved.values()])
    split = torch.cat([change.flatten() for change in split_moved.values()])
    assert (far - split).norm() < 1e-3 * far.norm()


def test_the_task_sets_the_portion_and_the_trial_may_set_another(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    table = bench("t5", dropout=0.0, micro_batch_size=4)
    for asked, used in ((None, 4), (2, 2)):
        tuning = tune(table, "lora", micro_batch=asked)
        assert tuning.micro_batches.micro_batch == used
        tuning.close()
