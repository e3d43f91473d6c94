"""An evaluation's table and its sums agree with each other and with what the model writes."""

from collections.abc import Callable
from contextlib import nullcontext
from statistics import mean
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput

from trainables import metrics
from trainables.batches import padded
from trainables.evaluation import evaluate
from trainables.inference import encoded_once
from trainables.inference.generate import greedy
from trainables.loop import FineTuning
from trainables.loss import mean_cross_entropy
from trainables.reading import reading
from trainables.workbench import Workbench

FAMILIES = ("t5", "bart", "llama")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_split_scored(bench: Callable[..., Workbench], family: str) -> None:
    table = bench(family, taught=True)
    evaluation = evaluate(table, table.base.model, "test", None)
    rows, data = evaluation.examples, table.data.test
    assert list(rows["id"]) == [example.id for example in data]
    assert list(rows["source"]) == [example.source for example in data]
    assert [tuple(texts) for texts in rows["references"]] == [example.references for example in data]
    assert {len(texts) for texts in rows["references"]} == {3}

    sources = [encoded.source for encoded in table.encoded("test")]
    outputs = greedy(table.base, table.base.model, sources, cap=24)
    for text, tokens in zip(rows["prediction"], outputs, strict=True):
        assert text == table.base.tokenizer.decode(tokens, skip_special_tokens=True).strip()
    scores = metrics.measure(["rouge"], rows["prediction"], list(rows["references"]), metrics.Rules("mean"))
    for name, values in scores.items():
        assert list(rows[name]) == values
        assert evaluation.scores[name] == pytest.approx(mean(values))
    loss = mean_cross_entropy(table.base, table.base.model, table.encoded("test"))
    assert evaluation.loss == pytest.approx(loss, rel=1e-5)
    assert evaluation.scores["rouge1"] > 20


@pytest.mark.parametrize("method", ["full", "lora", "prompt_tuning", "p_tuning", "prefix_tuning"])
@pytest.mark.parametrize("family", ["t5", "bart"])
def test_a_source_is_encoded_once_and_what_comes_is_as_if_twice(
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    method: str,
) -> None:
    table = bench(family, taught=True)
    tuning = tune(table, method, learning_rate=0.01)
    tuning.advance(16)
    examples, encoded, rows = table.data.validation, table.encoded("validation"), []
    encoder = table.base.model.get_encoder()
    layer = next(module for name, module in encoder.named_modules() if name.endswith("0"))
    counting = layer.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    found = tuning.evaluate("validation")
    counting.remove()
    assert rows == [len(examples)]
    assert "forward" not in vars(encoder)

    monkeypatch.setattr("trainables.evaluation.encoded_once", lambda base: nullcontext())
    twice = tuning.evaluate("validation")
    assert found.loss == pytest.approx(twice.loss, rel=1e-5)
    assert list(found.examples["prediction"]) == list(twice.examples["prediction"])
    assert found.loss == pytest.approx(mean_cross_entropy(table.base, tuning.model, encoded), rel=1e-5)


@pytest.mark.parametrize("soft", [0, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_row_is_known_again_by_its_tokens_and_only_itself(
    bench: Callable[..., Workbench], dtype: torch.dtype, soft: int
) -> None:
    model, rows, computed = bench("t5").base.model, [[3, 4, 5], [6]], []

    def forward(input_ids: Any, **_: Any) -> BaseModelOutput:
        computed.append(len(input_ids))
        states = nn.functional.pad(input_ids, (soft, 0), value=9).unsqueeze(2).to(dtype)
        return BaseModelOutput(last_hidden_state=states)

    encode = encoded_once._remembering(forward)

    def states(rows: list[list[int]]) -> Tensor:
        with reading(model, rows):
            return encode(padded(rows, 0)[0]).last_hidden_state

    first = states(rows)
    assert torch.equal(states(rows[::-1]), first.flip(0))
    assert torch.equal(states(rows[1:]), first[1:, : soft + 1])
    assert computed == [2]
    states([[3, 4, 5], [6, 0]])
    assert computed == [2, 2]


def test_the_best_reference_counts_where_the_task_says_so(bench: Callable[..., Workbench]) -> None:
    means, best = (
        evaluate(table, table.base.model, "test", None)
        for table in (bench("t5", taught=True, references=rule) for rule in ("mean", "max"))
    )
    assert best.examples["prediction"].equals(means.examples["prediction"])
    assert best.scores["rouge1"] > means.scores["rouge1"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_share_that_the_cap_cut(bench: Callable[..., Workbench], family: str) -> None:
    table = bench(family, taught=True, max_target_tokens=10)
    evaluation = evaluate(table, table.base.model, "validation", None)
    longer = bench(family, taught=True, max_target_tokens=60)
    sources = [encoded.source for encoded in longer.encoded("validation")]
    outputs = greedy(longer.base, longer.base.model, sources, cap=60)
    cut = [1 not in tokens[:10] for tokens in outputs]
    assert evaluation.capped_share == sum(cut) / len(cut)
    assert sum(cut) > 0
