"""FLOPs are those that one works out on paper, and counting them changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers.models.t5.modeling_t5 import T5Block

from trainables.batches import padded_tokens
from trainables.cost.flops import FlopCounter
from trainables.loop import FineTuning
from trainables.loss import summed_cross_entropy
from trainables.workbench import Workbench


def test_a_linear_layer() -> None:
    """2 a weight and row forward; the same again for the gradient of the weights, and of the input."""
    rows, wide, narrow = 7, 30, 5
    layer = nn.Linear(wide, narrow)
    for needs_input_gradient, passes in ((False, 2), (True, 3)):
        inputs = torch.randn(rows, wide, requires_grad=needs_input_gradient)
        with FlopCounter() as counter:
            layer(inputs).sum().backward()
        assert counter.total == passes * 2 * rows * wide * narrow


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_t5_block(bench: Callable[..., Workbench], attention: str) -> None:
    """Forward: 2 for each weight and token, 4 for each pair of tokens and width of attention; backward twice.

    (Kaplan et al., 2020, arXiv 2001.08361, table 1.) Fused attention computes the scores once more.
    """
    block: Any = next(m for m in bench("t5", dropout=0.0).base.model.modules() if isinstance(m, T5Block))
    config = block.layer[0].SelfAttention.config
    rows, tokens = 3, 11
    inner = config.num_heads * config.d_kv
    weights = 4 * config.d_model * inner + 3 * config.d_model * config.d_ff
    pairs = rows * tokens**2 * inner
    before, config._attn_implementation = config._attn_implementation, attention
    block.train().requires_grad_(True)
    try:
        with FlopCounter() as counter:
            inputs = torch.randn(rows, tokens, config.d_model, requires_grad=True)
            block(inputs)[0].sum().backward()
    finally:
        config._attn_implementation = before
        block.eval().requires_grad_(False).zero_grad()
    expected = 3 * (2 * weights * rows * tokens + 4 * pairs)
    assert counter.total in (expected, expected + 2 * pairs)


@pytest.mark.parametrize("family", ["t5", "bart", "llama"])
@pytest.mark.parametrize("method", ["full", "lora", "prompt_tuning"])
def test_a_pass_counts_what_torchs_own_counter_counts(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> None:
    """With attention that the CPU does not fuse: its fused one torch does not count."""
    table = bench(family, dropout=0.1)
    tuning, batch = tune(table, method), table.encoded("train")[:4]
    attention = table.base.model.config
    before, attention._attn_implementation = attention._attn_implementation, "eager"
    totals = []
    for counter in (FlopCounter(), FlopCounterMode(display=False)):
        with counter:
            summed_cross_entropy(table.base, tuning.model.train(), batch).backward()
        totals.append(counter.total if isinstance(counter, FlopCounter) else counter.get_total_flops())
        table.base._together = None  # LoRA as peft computes it: torch counts no product that is made in place
    attention._attn_implementation = before
    assert totals[0] == totals[1] > 0


def test_the_fused_attention_of_the_cpu_counts() -> None:
    """Scores and their sum: 4 a pair of tokens and width forward; backward five such products of 2."""
    query, key, value = (torch.randn(2, 3, 16, 8, requires_grad=True) for _ in range(3))
    with FlopCounter() as counter:
        nn.functional.scaled_dot_product_attention(query, key, value).sum().backward()
    assert counter.total == (4 + 10) * 2 * 3 * 16 * 16 * 8


@pytest.mark.parametrize("family", ["t5", "bart", "llama"])
@pytest.mark.parametrize("method", ["full", "lora", "prompt_tuning"])
def test_counting_changes_neither_losses_nor_weights(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> None:
    """With dropout, so that a random number drawn too many would show."""
    runs = []
    for flops_per_token in (None, 1.0):  # known before: nothing is counted
        tuning = tune(bench(family, dropout=0.1), method, examples=24)
        tuning.meter._flops_per_token = flops_per_token
        losses = tuning.advance(24)
        runs.append((losses, {name: p.detach().clone() for name, p in tuning.parameters.items()}))
        assert (tuning.meter._flops_per_token == 1.0) == (flops_per_token == 1.0)
        tuning.close()
    (losses, weights), (plain_losses, plain_weights) = runs
    assert losses == plain_losses
    assert all(torch.equal(weights[name], plain_weights[name]) for name in weights)


@pytest.mark.parametrize("family", ["t5", "llama"])
@pytest.mark.parametrize("micro_batch", [None, 3])
def test_one_pass_scaled_by_tokens_is_near_the_sum_of_all_passes(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, micro_batch: int | None
) -> None:
    table = bench(family, dropout=0.0)
    tuning = tune(table, "lora", examples=48, micro_batch=micro_batch)
    tuning.advance(48)
    figures = tuning.cost()
    every = 0
    for indices in tuning.plan:
        for part in tuning.micro_batches.of([table.encoded("train")[i] for i in indices]):
            with FlopCounter() as counter:
                summed_cross_entropy(table.base, tuning.model, part).backward()
            every += counter.total
    assert figures["train_flops"] == pytest.approx(every, rel=0.1)
    assert figures["train_flops_per_step"] == pytest.approx(every / tuning.steps, rel=0.1)


def test_the_step_that_is_counted_is_exact(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    table = bench("t5", dropout=0.0)
    tuning = tune(table, "full", examples=8)
    tuning.advance(8)
    batch = [table.encoded("train")[i] for i in tuning.plan[0]]
    with FlopCounter() as counter:
        summed_cross_entropy(table.base, tuning.model, batch).backward()
    assert tuning.cost()["train_flops"] == pytest.approx(counter.total, rel=1e-12)


def test_tokens_are_the_places_of_the_padded_batch(bench: Callable[..., Workbench]) -> None:
    from trainables.batches import collate

    for family, tensors in (("t5", ("input_ids", "labels")), ("llama", ("input_ids",))):
        table = bench(family)
        batch, kind = table.encoded("train")[:5], table.base.is_encoder_decoder
        padded = collate(batch, 0, is_encoder_decoder=kind)
        expected = sum(getattr(padded, name).numel() for name in tensors)
        assert padded_tokens(batch, is_encoder_decoder=kind) == expected
