"""The loss is transformers' own, for every family and kind of method; how a batch is cut does not matter."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from trainables import loss
from trainables.batches import IGNORED
from trainables.encode import Encoded
from trainables.loop import FineTuning
from trainables.loss import mean_cross_entropy, summed_cross_entropy, teacher_forced
from trainables.workbench import Workbench

FAMILIES = ("t5", "bart", "llama")
METHODS = (None, "lora", "prompt_tuning")


@pytest.fixture
def attached(bench: Callable[..., Workbench], tune: Callable[..., FineTuning]) -> Callable[..., Any]:
    """`attached(bench, method)`: a model in evaluation mode whose adapter does something."""

    def make(bench: Workbench, method: str | None) -> Any:
        if method is None:
            return bench.base.model.eval()
        tuning = tune(bench, method)
        torch.manual_seed(5)
        with torch.no_grad():
            for parameter in tuning.parameters.values():
                parameter.add_(torch.randn_like(parameter), alpha=0.2)
        return tuning.model.eval()

    return make


def own_loss(bench: Workbench, model: Any, examples: list[Encoded]) -> Tensor:
    """What transformers (and peft) compute where they are given labels, padding and prompt masked."""
    rows = []
    for example in examples:
        if bench.base.is_encoder_decoder:
            rows.append((example.source, example.target))
        else:
            rows.append((example.source + example.target, [-100] * len(example.source) + example.target))
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(x) for x, _ in rows], batch_first=True)
    labels = torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(y) for _, y in rows], batch_first=True, padding_value=-100
    )
    mask = torch.tensor([[int(i < len(x)) for i in range(ids.shape[1])] for x, _ in rows])
    return model(input_ids=ids, attention_mask=mask, labels=labels).loss


def test_logits_are_computed_only_where_a_row_has_a_label(bench: Callable[..., Workbench]) -> None:
    table = bench("llama")
    examples = table.encoded("train")[:3]
    logits, labels = teacher_forced(table.base, table.base.model, examples)
    labelled = {place for e in examples for place in range(len(e.source) - 1, e.length - 1)}
    assert labels.shape == (3, len(labelled)) == logits.shape[:2]
    assert len(labelled) < max(example.length for example in examples)
    assert (labels != IGNORED).sum() == tokens(examples)


def tokens(examples: list[Encoded]) -> int:
    return sum(len(example.target) for example in examples)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_is_transformers_own(
    bench: Callable[..., Workbench], attached: Callable[..., Any], family: str, method: str | None
) -> None:
    table = bench(family)
    model = attached(table, method)
    examples = table.encoded("train")[:6]
    assert len({len(example.source) for example in examples}) > 1
    assert len({len(example.target) for example in examples}) > 1
    with torch.no_grad():
        ours = summed_cross_entropy(table.base, model, examples) / tokens(examples)
        torch.testing.assert_close(ours, own_loss(table, model, examples), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_mean_over_a_split_is_that_of_one_example_at_a_time(
    bench: Callable[..., Workbench],
    attached: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    method: str | None,
) -> None:
    monkeypatch.setattr(loss, "EVALUATION_TOKENS", 200)
    table = bench(family)
    model = attached(table, method)
    examples = table.encoded("validation")
    with torch.no_grad():
        total = sum(own_loss(table, model, [example]).item() * len(example.target) for example in examples)
    assert mean_cross_entropy(table.base, model, examples) == pytest.approx(
        total / tokens(examples), rel=1e-5
    )


def test_a_batch_is_not_padded_beyond_what_is_held_at_once(
    bench: Callable[..., Workbench], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = bench("t5")
    seen: list[int] = []

    def spy(base: Any, model: Any, examples: list[Encoded]) -> Tensor:
        seen.append(len(examples) * max(example.length for example in examples))
        return torch.tensor(0.0)

    monkeypatch.setattr(loss, "summed_cross_entropy", spy)
    monkeypatch.setattr(loss, "EVALUATION_TOKENS", 200)
    mean_cross_entropy(table.base, table.base.model, table.encoded("validation"))
    assert len(seen) > 1
    assert max(seen) <= 200
