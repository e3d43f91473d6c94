"""LoRA in fewer kernels is peft's LoRA but for rounding, and peft's own wherever it must be."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trainables.loop import FineTuning
from trainables.loss import summed_cross_entropy
from trainables.low_rank import LoraForward
from trainables.workbench import Workbench


def fused(model: nn.Module) -> list[Any]:
    return [part for part in model.modules() if isinstance(vars(part).get("forward"), LoraForward)]


def shifted(tuning: FineTuning) -> FineTuning:
    """As after some training: B begins at zero, where an update would say nothing."""
    with torch.no_grad():
        for p in tuning.parameters.values():
            p.add_(torch.linspace(-0.05, 0.05, p.numel()).view_as(p))
    return tuning


def loss_and_gradients(tuning: FineTuning) -> dict[str, Tensor]:
    torch.manual_seed(0)
    loss = summed_cross_entropy(tuning.base, tuning.model.train(), tuning.bench.encoded("train")[:4])
    loss.backward()
    found: dict[str, Any] = {name: p.grad for name, p in tuning.parameters.items()}
    tuning.model.zero_grad(set_to_none=True)
    return {"loss": loss.detach(), **found}


@pytest.mark.parametrize("family", ["t5", "gpt2"])
@pytest.mark.parametrize("method", ["lora", "rslora", "pissa"])
def test_losses_and_gradients_are_those_of_peft(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> None:
    """With dropout: the same random numbers are drawn in the same order."""
    table = bench(family)
    tuning, calls = shifted(tune(table, method)), []
    for layer in fused(tuning.model):
        layer.lora_B["default"].register_forward_hook(lambda *_: calls.append(1))
    ours = loss_and_gradients(tuning)
    assert not calls
    table.base._together = None
    theirs = loss_and_gradients(tuning)
    assert len(calls) == len(fused(tuning.model)) > 0
    for name, wanted in theirs.items():
        assert (ours[name] - wanted).norm() <= 1e-4 * wanted.norm()


def test_in_bf16_they_are_as_near_to_those_of_fp32(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    table = bench("llama", precision="bf16")
    tuning = shifted(tune(table, "lora", dropout=0.0))
    found = [loss_and_gradients(tuning)]
    table.base._together = None
    found.append(loss_and_gradients(tuning))
    with table.base.full_precision():
        found.append(loss_and_gradients(tuning))
    ours, theirs, exact = (torch.cat([value.flatten() for value in each.values()]) for each in found)
    assert (ours - exact).norm() < 1.1 * (theirs - exact).norm()


def test_an_adapter_that_is_switched_off_or_merged_is_not_added(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    table = bench("t5", dropout=0.0)
    tuning = shifted(tune(table, "lora"))
    examples = table.encoded("train")[:2]

    @torch.no_grad()
    def loss() -> Tensor:
        return summed_cross_entropy(table.base, tuning.model.eval(), examples)

    adapted = loss()
    with tuning.model.disable_adapter():
        plain = loss()
    tuning.model.merge_adapter()
    torch.testing.assert_close(loss(), adapted)
    tuning.model.unmerge_adapter()
    tuning.close()
    with torch.no_grad():
        assert torch.equal(summed_cross_entropy(table.base, table.base.model, examples), plain)
    assert not torch.equal(plain, adapted)


@pytest.mark.parametrize("method", ["dora", "adalora"])
def test_variants_are_left_to_peft(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], method: str
) -> None:
    assert fused(tune(bench("t5"), method).model) == []
