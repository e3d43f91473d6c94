"""Faster kernels compute what transformers' own code computes, in training and when they generate."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedModel
from transformers.activations import NewGELUActivation

from trainables import kernels
from trainables.inference.generate import greedy
from trainables.kernels import BIASED, FusedRMSNorm, choose_kernels
from trainables.loop import FineTuning
from trainables.task import Task
from trainables.workbench import Workbench


def plain(task: Task, attention: str) -> PreTrainedModel:
    """A model as transformers loads it, with T5's own dropout off."""
    return AutoModelForSeq2SeqLM.from_pretrained(
        task.model, dtype=torch.float32, attn_implementation=attention
    )


def loss_and_gradients(model: PreTrainedModel, *, frozen: bool) -> tuple[Tensor, dict[str, Tensor]]:
    """Of a batch with padding; `frozen` leaves only the embeddings to train, and with them no bias."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not frozen or name == "shared.weight")
    ids = torch.arange(4, 40).reshape(3, 12)
    mask = torch.ones_like(ids)
    mask[0, 7:] = 0
    mask[2, 3:] = 0
    loss = model(input_ids=ids, attention_mask=mask, labels=torch.arange(5, 20).reshape(3, 5)).loss
    loss.backward()
    return loss.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("most_scores", [0, 2**24])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_losses_and_gradients_are_those_of_eager_attention(
    make_task: Callable[..., Task], frozen: bool, most_scores: int, dtype: torch.dtype, monkeypatch
) -> None:
    monkeypatch.setattr(kernels, "MOST_SCORES", most_scores)
    results = []
    for is_ours in (True, False):
        model = plain(make_task("t5", dropout=0.0, taught=True), "eager").train()
        if is_ours:
            choose_kernels(model, "auto")
            assert model.config._attn_implementation == BIASED
        with torch.autocast("cpu", dtype, dtype is torch.bfloat16):
            results.append(loss_and_gradients(model, frozen=frozen))
    (ours, mine), (theirs, wanted) = results
    tolerance = {"rtol": 1e-4, "atol": 1e-6} if dtype is torch.float32 else {"rtol": 0.05, "atol": 0.02}
    torch.testing.assert_close(ours, theirs, **tolerance)
    assert mine.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(mine[name], wanted[name], **tolerance)


@pytest.mark.parametrize("method", [None, "lora", "prompt_tuning", "prefix_tuning"])
def test_the_same_text_is_written_with_any_attention(
    make_task: Callable[..., Task], tune: Callable[..., FineTuning], method: str | None
) -> None:
    outputs = []
    for attention in ("auto", "sdpa", "eager"):
        table = Workbench(make_task("t5", taught=True, attention=attention), data_seed=0)
        assert table.base.model.config._attn_implementation == (BIASED if attention == "auto" else attention)
        model = table.base.model
        if method:
            tuning = tune(table, method)
            tuning.advance(16)
            model = tuning.model.eval()
        sources = [example.source for example in table.encoded("validation")]
        outputs.append(greedy(table.base, model, sources, cap=24))
    assert outputs[0] == outputs[1] == outputs[2]
    assert len({tuple(tokens) for tokens in outputs[0]}) > 1


def test_the_activation_is_the_same_function_in_one_kernel(make_task: Callable[..., Task]) -> None:
    model = plain(make_task("t5"), "eager")
    assert any(isinstance(part, NewGELUActivation) for part in model.modules())
    choose_kernels(model, "eager")
    found = [part for part in model.modules() if isinstance(part, nn.GELU)]
    assert len(found) == 4
    assert model.config._attn_implementation == "eager"
    values = torch.linspace(-6, 6, 1001)
    torch.testing.assert_close(found[0](values), NewGELUActivation()(values), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("family", ["t5", "mt5", "llama", "qwen2"])
def test_a_norm_is_the_same_function_in_one_kernel(make_task: Callable[..., Task], family: str) -> None:
    task, found = make_task(family), []
    auto = AutoModelForSeq2SeqLM if "t5" in family else AutoModelForCausalLM
    for is_ours in (True, False):
        model = auto.from_pretrained(task.model, dtype=torch.float32)
        if is_ours:
            choose_kernels(model, "sdpa")
        norms = {name: part for name, part in model.named_modules() if "norm" in name}
        assert {isinstance(norm, FusedRMSNorm) for norm in norms.values()} == {is_ours}
        torch.manual_seed(0)
        for norm in norms.values():
            nn.init.normal_(norm.weight)
            given = torch.randn(2, 3, len(norm.weight), requires_grad=True)
            norm(given).square().sum().backward()
            found.append((given.grad, norm.weight.grad))
        assert set(model.state_dict()) == set(auto.from_pretrained(task.model).state_dict())
    for ours, theirs in zip(found, found[len(found) // 2 :], strict=False):
        torch.testing.assert_close(ours, theirs)


def test_a_bias_is_merged_with_the_mask_once_for_all_layers() -> None:
    bias, mask = torch.randn(1, 2, 3, 3), torch.zeros(4, 1, 3, 3)
    first = kernels._merged(bias, mask)
    assert kernels._merged(bias, mask) is first
    assert kernels._merged(bias, mask.clone()) is not first
    assert kernels._merged(bias, None) is bias
    torch.testing.assert_close(first, bias + mask)
