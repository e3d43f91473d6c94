"""Training in fp16: the loss is scaled; a step whose gradients overflow is done again at half the scale."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trainables.checks import ask, check, failed
from trainables import loop, optimization
from trainables.loop import FineTuning
from trainables.loss import summed_cross_entropy
from trainables.losses import Diverged
from trainables.preflight.checks.gradients import watched
from trainables.workbench import Workbench

TOO_LARGE = 2.0**24
"""At which the gradients of these models overflow fp16."""


@pytest.fixture
def table(bench: Callable[..., Workbench]) -> Workbench:
    return bench("llama", dropout=0.0, precision="fp16")


def weights(tuning: FineTuning) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in tuning.parameters.items()}


def scale(tuning: FineTuning) -> float:
    return tuning.optimization.scaler.get_scale()


def test_small_gradients_do_not_become_zero(
    table: Workbench,
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As those of a model that has learned nearly all are; AdamW makes steps of the usual size of them."""

    def faint(*args: Any, **options: Any) -> Tensor:
        return summed_cross_entropy(*args, **options) * 2.0**-16

    monkeypatch.setattr(loop, "summed_cross_entropy", faint)
    shares = []
    for precision in ("fp32", "fp16"):
        tuning = tune(bench("llama", dropout=0.0, precision=precision), "full")
        tuning.advance(8)
        moments = tuning.optimization.optimizer.state.values()
        shares.append(torch.cat([m["exp_avg"].flatten() for m in moments]).eq(0).float().mean().item())
        tuning.close()
    assert shares[1] == pytest.approx(shares[0], abs=0.005)


@pytest.mark.parametrize("method", ["full", "lora", "adalora", "shira"])
def test_a_step_whose_gradients_overflow_is_done_again_at_half_the_scale(
    table: Workbench, tune: Callable[..., FineTuning], method: str
) -> None:
    """No batch, and no step of the schedule, is lost: bit for bit as if the scale had been right at first."""
    without_dropout = {"dropout": 0.0} if method in ("lora", "adalora") else {}
    runs: list[tuple[list[float], dict[str, Tensor], float]] = []
    for first_scale in (TOO_LARGE, None):
        tuning = tune(table, method, examples=32, **without_dropout)
        tuning.optimization.scaler.update(first_scale or runs[0][2])
        losses = tuning.advance(32)
        runs.append((losses, weights(tuning), scale(tuning)))
        assert (tuning.steps, tuning.examples_seen) == (4, 32)
        tuning.close()
    (losses, trained, left), (expected_losses, expected, unchanged) = runs
    assert 1 < left == unchanged < TOO_LARGE
    assert losses == expected_losses
    assert all(torch.equal(weight, expected[name]) for name, weight in trained.items())


@pytest.mark.parametrize("method", ["full", "adalora"])
def test_a_run_that_is_saved_and_loaded_is_bit_for_bit_an_unbroken_one(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], tmp_path: Path, method: str
) -> None:
    table = bench("llama", dropout=0.1, precision="fp16")

    def begun() -> FineTuning:
        tuning = tune(table, method, examples=40)
        tuning.optimization.scaler.update(TOO_LARGE)
        return tuning

    unbroken = begun()
    losses, final, left = unbroken.advance(40), weights(unbroken), scale(unbroken)
    assert left < TOO_LARGE
    unbroken.close()

    first = begun()
    told = first.advance(24)
    first.save(tmp_path, {})
    first.close()
    second = tune(table, method, examples=40)
    second.load(tmp_path)
    assert scale(second) == left
    assert told + second.advance(16) == losses
    assert all(torch.equal(p, final[name]) for name, p in second.parameters.items())


def test_gradients_that_are_finite_at_no_scale_diverge(
    table: Workbench, tune: Callable[..., FineTuning]
) -> None:
    tuning = tune(table, "lora")
    next(iter(tuning.parameters.values())).register_hook(lambda gradient: gradient * torch.inf)
    before = weights(tuning)
    with pytest.raises(
        Diverged, match=r"The gradients of step 1 overflow fp16, .*Set task\.precision to bf16 or fp32\."
    ):
        tuning.advance(8)
    assert all(torch.equal(p, before[name]) for name, p in tuning.parameters.items())


def test_a_step_that_ran_out_of_memory_after_its_gradients_is_done_again(
    table: Workbench, tune: Callable[..., FineTuning], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, calls = nn.utils.clip_grad_norm_, []

    def fail_once(*args: Any) -> Tensor:
        calls.append(args)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB.")
        return clip(*args)

    monkeypatch.setattr(optimization.nn.utils, "clip_grad_norm_", fail_once)
    tuning = tune(table, "lora")
    assert len(tuning.advance(16)) == 2
    assert tuning.micro_batches.is_halved
    assert len(calls) == 3


def test_other_precisions_are_not_scaled(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    for precision in ("fp32", "bf16"):
        tuning = tune(bench("llama", dropout=0.0, precision=precision), "lora")
        assert not tuning.optimization.scaler.is_enabled()
        tuning.close()


def test_a_gradient_that_overflows_does_not_show_that_a_weight_is_reached() -> None:
    weight = nn.Parameter(torch.zeros(2))
    with watched({"weight": weight}) as reached:
        (weight * torch.nan).sum().backward()
        assert not reached["weight"].any()
        weight.sum().backward()
    assert reached["weight"].all()


@pytest.mark.parametrize("method", ["full", "lora", "prompt_tuning"])
def test_preflight_checks_pass_in_fp16(bench: Callable[..., Workbench], method: str) -> None:
    findings = ask(bench("llama", taught=True, precision="fp16"), method)
    assert failed(findings) == []
    assert check(findings, "precision").figures["dtype"] == "float16"
