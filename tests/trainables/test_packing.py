"""Packed examples: the same loss and gradients as apart, in fewer places, wherever an example begins."""

import math
from collections.abc import Callable
from itertools import pairwise, product
from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaModel

import spaces
from tests.matrix import by_turns
from tests.relatives import CAUSAL
from tests.trainables.test_preflight_checks import ask, check
from trainables.batches import IGNORED, padded_tokens
from trainables.encode import Encoded
from trainables.errors import NotApplicable
from trainables.loop import FineTuning
from trainables.loss import summed_cross_entropy
from trainables.packing import pack, packed_tokens, rows
from trainables.workbench import Workbench

PAD = 0
PAIRS = [(name, method) for name in ("llama", *CAUSAL) for method in ("full", "lora")]
DAILY = [("llama", "lora"), ("gpt2", "full"), ("gemma3", "lora")]


def random_examples(count: int) -> list[Encoded]:
    chance = Random(count)

    def tokens(most: int) -> list[int]:
        return [chance.randint(3, 99) for _ in range(chance.randint(1, most))]

    return [Encoded(tokens(20), tokens(6), 0, 0) for _ in range(count)]


@pytest.mark.parametrize("capacity", [26, 60, 10**6])
@pytest.mark.parametrize("count", [1, 2, 9, 40])
def test_every_example_stands_once_in_as_few_rows_as_its_tokens_fill(count: int, capacity: int) -> None:
    lengths = [example.length for example in random_examples(count)]
    found = rows(lengths, capacity)
    assert all(found)
    assert sorted(i for row in found for i in row) == list(range(count))
    assert len(found) == math.ceil(sum(lengths) / capacity)
    longest = max(sum(lengths[i] for i in row) for row in found)
    assert packed_tokens(lengths, capacity) == len(found) * longest


@pytest.mark.parametrize("seed", range(20))
def test_the_longest_row_is_within_grahams_bound_of_the_shortest_possible(seed: int) -> None:
    """By brute force over every way to deal 7 examples out to 3 rows."""
    chance = Random(seed)
    lengths = [chance.randint(1, 30) for _ in range(7)]
    found = rows(lengths, math.ceil(sum(lengths) / 3))
    assert len(found) == 3

    def longest(places: tuple[int, ...]) -> int:
        return max(
            sum(n for n, place in zip(lengths, places, strict=True) if place == row) for row in range(3)
        )

    best = min(map(longest, product(range(3), repeat=7)))
    assert max(sum(lengths[i] for i in row) for row in found) <= (4 / 3 - 1 / 9) * best


@pytest.mark.parametrize("capacity", [30, 70, 10**6])
def test_a_packed_batch_holds_each_example_with_positions_of_its_own(capacity: int) -> None:
    examples = random_examples(9)
    batch = pack(examples, PAD, capacity)
    assert batch.attention_mask is None
    assert batch.position_ids is not None
    assert batch.input_ids.numel() == packed_tokens([e.length for e in examples], capacity)
    cut = []
    for ids, labels, positions in zip(batch.input_ids, batch.labels, batch.position_ids, strict=True):
        starts = [i for i, place in enumerate(positions.tolist()) if place == 0] + [len(ids)]
        for start, end in pairwise(starts):
            assert positions[start:end].tolist() == list(range(end - start))
            cut.append((ids[start:end].tolist(), labels[start:end].tolist()))
    expected = [
        (e.source + e.target, [IGNORED] * (len(e.source) - 1) + e.target + [IGNORED]) for e in examples
    ]
    assert sorted(piece for piece in cut if piece != ([PAD], [IGNORED])) == sorted(expected)


def loss_and_gradients(
    tuning: FineTuning, examples: list[Encoded], capacity: int | None
) -> dict[str, Tensor]:
    tuning.model.zero_grad(set_to_none=True)
    loss = summed_cross_entropy(tuning.base, tuning.model.train(), examples, capacity=capacity)
    loss.backward()
    return {"loss": loss.detach()} | {
        name: p.grad.clone() for name, p in tuning.parameters.items() if p.grad is not None
    }


@by_turns(PAIRS, DAILY)
def test_packed_examples_have_the_loss_and_the_gradients_that_they_have_apart(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], name: str, method: str
) -> None:
    """In one row, in some, and in a row for each; against the sum over examples one at a time."""
    table = bench(name, dropout=0.0)
    tuning = tune(table, method, **({"dropout": 0.0} if method == "lora" else {}))
    torch.manual_seed(3)
    with torch.no_grad():
        for p in tuning.parameters.values():
            p.add_(torch.randn_like(p), alpha=0.05)
    examples = table.encoded("train")[:6]
    alone = [loss_and_gradients(tuning, [example], None) for example in examples]
    expected = {key: torch.stack([found[key] for found in alone]).sum(dim=0) for key in alone[0]}
    whole = sum(example.length for example in examples)
    for capacity in (whole, whole // 2 + 1, max(example.length for example in examples)):
        packed = loss_and_gradients(tuning, examples, capacity)
        assert packed.keys() == expected.keys()
        for key, value in expected.items():
            torch.testing.assert_close(packed[key], value, rtol=2e-4, atol=2e-4, msg=key)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_packed_run_is_the_run_without(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], method: str
) -> None:
    runs, costs = [], []
    for packing in (False, True):
        table = bench("smollm", dropout=0.0, packing=packing)
        changes = {"dropout": 0.0} if method == "lora" else {}
        tuning = tune(table, method, examples=48, batch_size=8, micro_batch=None, **changes)
        runs.append(torch.tensor(tuning.advance(48)))
        costs.append(tuning.cost()["train_target_tokens_per_second"])
        tuning.close()
    torch.testing.assert_close(runs[0], runs[1], rtol=1e-4, atol=1e-4)
    assert all(costs)


def test_packing_saves_padding(bench: Callable[..., Workbench]) -> None:
    table = bench("llama", packing=True)
    examples = table.encoded("train")[:8]
    capacity = table.task.packed_tokens
    assert capacity == 96 + 24
    target = sum(e.length for e in examples)
    packed = packed_tokens([e.length for e in examples], capacity)
    assert target <= packed < padded_tokens(examples, is_encoder_decoder=False)


@pytest.mark.parametrize("method", ["prompt_tuning", "p_tuning", "prefix_tuning"])
def test_a_prompt_before_a_row_is_refused_and_taken_off(bench: Callable[..., Workbench], method: str) -> None:
    base = bench("llama", packing=True).base
    before = {name: set(vars(part)) for name, part in base.model.named_modules()}
    with pytest.raises(NotApplicable, match="not before each example packed into it"):
        base.attach(method, spaces.get(method).default)
    assert {name: set(vars(part)) for name, part in base.model.named_modules()} == before


@pytest.mark.parametrize("name", ["llama", "gemma3"])
def test_the_gate_passes_where_examples_do_not_see_each_other(
    bench: Callable[..., Workbench], name: str
) -> None:
    found = check(ask(bench(name, packing=True), "lora", costliest=spaces.get("lora").default), "packing")
    assert found.verdict == "pass"
    assert found.figures["packing_apart_nats"] < 1e-4


def test_the_gate_fails_where_they_do(
    bench: Callable[..., Workbench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a model does that knows no packed rows: it gets a mask that hides nothing."""
    forward = LlamaModel.forward

    def open_to_all(self: Any, *inputs: Any, attention_mask: Tensor | None = None, **options: Any) -> Any:
        if attention_mask is None and options.get("input_ids") is not None:
            attention_mask = torch.ones_like(options["input_ids"])
        return forward(self, *inputs, attention_mask=attention_mask, **options)

    monkeypatch.setattr(LlamaModel, "forward", open_to_all)
    findings = ask(bench("llama", packing=True), "lora", costliest=spaces.get("lora").default)
    assert check(findings, "packing").verdict == "fail"
    assert "they see each other. Set task.packing to false" in check(findings, "packing").message
    assert "gradients" not in [g.name for g in findings.checks]
