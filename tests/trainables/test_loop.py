"""The loop learns, keeps to its budget, and goes on from a checkpoint as if it had never stopped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import spaces
from tests.matrix import EVERY_PAIR
from trainables.loop import FineTuning
from trainables.loss import mean_cross_entropy
from trainables.losses import Diverged
from trainables.workbench import Workbench


def weights(tuning: FineTuning) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in tuning.parameters.items()}


@EVERY_PAIR
def test_a_run_that_is_saved_and_loaded_is_bit_for_bit_an_unbroken_one(
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    tmp_path: Path,
    family: str,
    method: str,
) -> None:
    table = bench(family, dropout=0.1)
    options: dict[str, Any] = {"examples": 40, "warmup_ratio": 0.1, "schedule": "cosine"}
    unbroken = tune(table, method, **options)
    losses = unbroken.advance(40)
    assert len(losses) == 5
    final = weights(unbroken)
    unbroken.close()

    first = tune(table, method, **options)
    begun = first.advance(24)
    first.evaluate("validation", 2)
    first.save(tmp_path, {"so": "far"})
    first.close()
    torch.manual_seed(99)
    second = tune(table, method, **options)
    assert second.load(tmp_path) == {"so": "far"}
    assert (second.steps, second.examples_seen) == (3, 24)
    assert begun + second.advance(16) == losses
    assert all(torch.equal(p, final[name]) for name, p in second.parameters.items())


def test_dropout_is_on_in_training_and_off_in_evaluation(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    """Or the test above would not show that the state of the random numbers is kept."""
    with_dropout, without = (tune(bench("t5", dropout=dropout), "full").advance(8) for dropout in (0.1, 0.0))
    assert with_dropout != without
    tuning = tune(bench("t5", dropout=0.1), "full")
    assert tuning.evaluate("validation").loss == tuning.evaluate("validation").loss


@EVERY_PAIR
def test_every_method_learns_on_every_family(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> None:
    table = bench(family, dropout=0.0)
    rate = spaces.get(method).distributions["learning_rate"].high  # type: ignore[attr-defined]
    tuning = tune(table, method, examples=96, learning_rate=rate)
    validation = table.encoded("validation")
    before = mean_cross_entropy(table.base, tuning.model.eval(), validation)
    tuning.advance(96)
    after = mean_cross_entropy(table.base, tuning.model.eval(), validation)
    assert after < 0.97 * before


def test_nothing_is_loaded_where_nothing_was_saved(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], tmp_path: Path
) -> None:
    tuning = tune(bench("t5"), "lora")
    assert tuning.load(tmp_path) is None
    assert tuning.examples_seen == 0


def test_examples_are_rounded_up_to_whole_steps_and_the_budget_ends_exactly(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    tuning = tune(bench("llama"), "lora", examples=53, batch_size=8)
    seen = []
    for examples in (1, 8, 10, 0, 5, 1000, 8):
        losses = tuning.advance(examples)
        seen.append((len(losses), tuning.examples_seen, tuning.steps))
    assert seen == [(1, 8, 1), (1, 16, 2), (2, 32, 4), (0, 32, 4), (1, 40, 5), (2, 53, 7), (0, 53, 7)]


def test_the_same_examples_in_other_portions_give_the_same_run(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    results = []
    for micro_batches in ([32], [8, 8, 8, 8], [1, 1, 30]):
        tuning = tune(bench("llama"), "lora", examples=32)
        results.append([loss for examples in micro_batches for loss in tuning.advance(examples)])
        tuning.close()
    assert results[0] == results[1] == results[2]


def test_the_loss_of_a_step_is_the_mean_over_its_target_tokens(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    table = bench("bart", dropout=0.0)
    tuning = tune(table, "full")
    expected = mean_cross_entropy(
        table.base, tuning.model.eval(), [table.encoded("train")[i] for i in tuning.plan[0]]
    )
    assert tuning.advance(8)[0] == pytest.approx(expected, rel=1e-5)


def test_an_absurd_learning_rate_diverges(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    tuning = tune(bench("bart"), "full", learning_rate=1e30)
    with pytest.raises(Diverged, match=r"The training loss became (nan|inf) at step [2-8]\."):
        tuning.advance(64)


def test_a_weight_that_is_no_number_diverges_and_is_not_learned_from(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    tuning = tune(bench("t5"), "lora")
    next(iter(tuning.parameters.values())).data[0, 0] = float("nan")
    before = weights(tuning)
    with pytest.raises(Diverged, match=r"The training loss became nan at step 1\."):
        tuning.advance(64)
    assert (tuning.steps, tuning.examples_seen) == (0, 0)
    assert all(
        torch.equal(p.nan_to_num(), before[name].nan_to_num()) for name, p in tuning.parameters.items()
    )


def test_after_a_run_that_diverged_the_base_serves_the_next(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    table = bench("bart")
    losses = []
    for rate in (1e-3, 1e30, 1e-3):
        tuning = tune(table, "full", learning_rate=rate)
        losses.append(tuning.advance(8))
        if rate > 1:
            with pytest.raises(Diverged):
                tuning.advance(64)
        tuning.close()
    assert losses[0] == losses[2]


def test_the_untrained_model_is_evaluated_and_costs_no_training(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    table = bench("t5")
    baseline = FineTuning(table, None, {}, examples=64, seed=0)
    evaluation = baseline.evaluate("test", 3)
    assert len(evaluation.examples) == 3
    cost = baseline.cost()
    assert (cost["trainable_parameters"], cost["train_seconds"]) == (0, 0.0)
    baseline.close()


def test_evaluation_does_not_change_what_comes_after(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    results = []
    for limit in (0, 4):
        tuning = tune(bench("t5"), "lora", examples=32)
        losses = tuning.advance(16)
        if limit:
            tuning.evaluate("validation", limit)
        results.append(losses + tuning.advance(16))
        tuning.close()
    assert results[0] == results[1]
