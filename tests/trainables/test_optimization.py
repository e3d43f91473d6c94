"""AdamW and its schedule are those of torch and transformers; a whole training run proves it."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, get_scheduler

from trainables.loop import FineTuning
from trainables.optimization import CLIP_NORM, Optimization, schedule
from trainables.workbench import Workbench

HYPERPARAMETERS = {
    "learning_rate": 1e-2,
    "weight_decay": 0.5,
    "warmup_ratio": 0.1,
    "schedule": "linear",
    "batch_size": 8,
}


@pytest.mark.parametrize("shape", ["linear", "cosine"])
@pytest.mark.parametrize(
    ("steps", "warmup_ratio"),
    [(1, 0.0), (1, 0.1), (2, 0.1), (7, 0.0), (10, 0.1), (33, 0.05), (100, 0.07), (100, 0.1), (4, 1.0)],
)
def test_the_schedule_is_transformers_own(shape: str, steps: int, warmup_ratio: float) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = get_scheduler(
        shape, optimizer, num_warmup_steps=math.ceil(steps * warmup_ratio), num_training_steps=steps
    )
    for step in range(steps):
        expected = scheduler.get_last_lr()[0]
        assert schedule(step, steps, warmup_ratio, shape) == pytest.approx(expected, abs=1e-12)
        optimizer.step()
        scheduler.step()


def test_matrices_decay_and_vectors_do_not() -> None:
    matrix, bias = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))
    optimization = Optimization([matrix, bias], {**HYPERPARAMETERS, "warmup_ratio": 0.0}, steps=10)
    for parameter in (matrix, bias):
        parameter.grad = torch.zeros_like(parameter)
    optimization.update(0)
    torch.testing.assert_close(matrix.detach(), torch.full((2, 2), 1 - 1e-2 * 0.5))
    torch.testing.assert_close(bias.detach(), torch.ones(2))
    assert matrix.grad is None


def test_a_large_gradient_is_clipped_over_all_parameters_together(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = [nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(2, 2))]
    optimization = Optimization(parameters, HYPERPARAMETERS, steps=10)
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, 100.0)
    seen: list[Tensor] = []
    monkeypatch.setattr(optimization.optimizer, "step", lambda: seen.extend(p.grad for p in parameters))
    optimization.update(0)
    norm = torch.cat([gradient.flatten() for gradient in seen]).norm()
    assert norm.item() == pytest.approx(CLIP_NORM, rel=1e-4)


def test_the_state_comes_back_as_it_was() -> None:
    def make() -> tuple[list[nn.Parameter], Optimization]:
        torch.manual_seed(0)
        parameters = [nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(3))]
        return parameters, Optimization(parameters, HYPERPARAMETERS, steps=6)

    def update(parameters: list[nn.Parameter], optimization: Optimization, step: int) -> None:
        for parameter in parameters:
            parameter.grad = torch.sin(parameter.detach() * (step + 1))
        optimization.update(step)

    unbroken, optimization = make()
    for step in range(3):
        update(unbroken, optimization, step)
    continued, again = make()
    with torch.no_grad():
        for old, new in zip(unbroken, continued, strict=True):
            new.copy_(old)
    again.load_tensors({key: value.clone() for key, value in optimization.tensors().items()})
    for step in range(3, 6):
        update(unbroken, optimization, step)
        update(continued, again, step)
    assert all(torch.equal(old, new) for old, new in zip(unbroken, continued, strict=True))


def plain_loop(bench: Workbench, plan: list[list[int]], hyperparameters: dict[str, Any]) -> dict[str, Tensor]:
    """Full fine-tuning as one writes it by hand, from the model's folder to its weights."""
    kind = AutoModelForSeq2SeqLM if bench.base.is_encoder_decoder else AutoModelForCausalLM
    model = kind.from_pretrained(bench.task.model).train()
    decayed = [p for p in model.parameters() if p.ndim > 1]
    spared = [p for p in model.parameters() if p.ndim == 1]
    groups = [
        {"params": decayed, "weight_decay": hyperparameters["weight_decay"]},
        {"params": spared, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=hyperparameters["learning_rate"])
    scheduler = get_scheduler(
        hyperparameters["schedule"],
        optimizer,
        num_warmup_steps=math.ceil(len(plan) * hyperparameters["warmup_ratio"]),
        num_training_steps=len(plan),
    )
    for indices in plan:
        examples = [bench.encoded("train")[i] for i in indices]
        sources, targets = [e.source for e in examples], [e.target for e in examples]
        if not bench.base.is_encoder_decoder:
            targets = [[-100] * len(s) + t for s, t in zip(sources, targets, strict=True)]
            sources = [e.source + e.target for e in examples]
        longest = max(map(len, sources))
        ids = torch.tensor([s + [0] * (longest - len(s)) for s in sources])
        mask = torch.tensor([[1] * len(s) + [0] * (longest - len(s)) for s in sources])
        most = max(map(len, targets))
        labels = torch.tensor([t + [-100] * (most - len(t)) for t in targets])
        model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
    return dict(model.named_parameters())


@pytest.mark.parametrize(("family", "shape"), [("t5", "linear"), ("bart", "cosine"), ("llama", "linear")])
def test_a_training_run_gives_the_weights_of_a_plain_loop(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, shape: str
) -> None:
    table = bench(family, dropout=0.0)
    hyperparameters = {**HYPERPARAMETERS, "learning_rate": 1e-3, "schedule": shape}
    tuning = tune(table, "full", examples=92, **hyperparameters)
    expected = plain_loop(table, tuning.plan, hyperparameters)
    assert len(tuning.advance(92)) == 12
    assert tuning.parameters.keys() == expected.keys()
    for name, parameter in tuning.parameters.items():
        # The bias of attention's keys has no influence: AdamW enlarges the rounding errors of its gradient.
        if not name.endswith("k_proj.bias"):
            torch.testing.assert_close(parameter, expected[name], rtol=1e-4, atol=2e-6)
