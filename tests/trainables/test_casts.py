"""What is cast once goes into the same products, and the weights themselves are not touched."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.shadow_cuda import ShadowCuda
from trainables import casts
from trainables import model as models
from trainables.casts import CastForward
from trainables.cost.latency import merged
from trainables.loop import FineTuning
from trainables.loss import summed_cross_entropy, teacher_forced
from trainables.model import checksum
from trainables.task import Task
from trainables.workbench import Workbench

FAMILIES = ("t5", "bart", "llama", "gpt2")
METHODS = ("lora", "prompt_tuning", "dora")
PAIRS = [*product(FAMILIES, METHODS), ("bart", "bitfit"), ("gpt2", "bitfit")]


def cast(model: nn.Module) -> list[nn.Module]:
    return [part for part in model.modules() if isinstance(vars(part).get("forward"), CastForward)]


def narrowing(model: nn.Module) -> list[nn.Module]:
    return [part for part in model.modules() if getattr(part, "output_dtype", None) is not None]


def loss_and_gradients(tuning: FineTuning) -> tuple[Tensor, dict[str, Tensor]]:
    torch.manual_seed(0)
    loss = summed_cross_entropy(tuning.base, tuning.model.train(), tuning.bench.encoded("train")[:4])
    loss.backward()
    found = {name: p.grad.clone() for name, p in tuning.parameters.items() if p.grad is not None}
    tuning.model.zero_grad(set_to_none=True)
    return loss.detach(), found


@pytest.mark.parametrize(("family", "method"), PAIRS)
def test_losses_and_gradients_are_bit_for_bit_those_of_autocast(
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    method: str,
) -> None:
    table = bench(family, precision="bf16")
    found = []
    for is_ours in (True, False):
        if not is_ours:
            monkeypatch.setattr(models, "cast_frozen", lambda *_: None)
        tuning = tune(table, method)
        assert bool(cast(tuning.model)) == is_ours
        found.append(loss_and_gradients(tuning))
        tuning.close()
    (loss, gradients), (wanted, theirs) = found
    assert loss == wanted
    assert gradients.keys() == theirs.keys()
    assert all(torch.equal(gradients[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("method", ["full", "lora", "adalora", "prompt_tuning"])
@pytest.mark.parametrize("family", ["t5", "llama"])
def test_an_input_that_is_cast_once_gives_the_same_loss_and_the_same_gradients_but_for_rounding(
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    method: str,
) -> None:
    """Gradients of the products that share an input are added up in bf16."""
    table = bench(family, precision="bf16", dropout=0.0)
    found = []
    for is_ours in (True, False):
        if not is_ours:
            monkeypatch.setattr(models, "cast_inputs", lambda *_: None)
        tuning = tune(table, method, dropout=0.0)
        with torch.no_grad():
            for parameter in tuning.parameters.values():
                parameter.add_(torch.linspace(-0.05, 0.05, parameter.numel()).view_as(parameter))
        assert bool(narrowing(tuning.model)) == is_ours
        found.append(loss_and_gradients(tuning))
        tuning.close()
        assert narrowing(table.base.model) == []
    (loss, gradients), (wanted, theirs) = found
    assert loss == wanted
    ours, plain = (torch.cat([grad.flatten() for grad in each.values()]) for each in (gradients, theirs))
    assert (ours - plain).norm() < 0.02 * plain.norm()


@pytest.mark.parametrize(("family", "method"), [("t5", "full"), ("gpt2", "full"), ("llama", "lora")])
def test_on_a_device_small_trained_weights_are_cast_in_one_kernel_and_so_are_their_gradients(
    make_task: Callable[..., Task],
    tune: Callable[..., FineTuning],
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    method: str,
) -> None:
    with ShadowCuda() as shadow:
        table, found = Workbench(make_task(family, precision="bf16"), data_seed=0), []
        for most in (casts.SMALL, 0):
            monkeypatch.setattr(casts, "SMALL", most)
            shadow.generator.manual_seed(0)
            tuning = tune(table, method)
            shadow.generator.manual_seed(1)
            with shadow.counting() as counts:
                loss, gradients = loss_and_gradients(tuning)
            found.append((loss.item(), {name: grad.cpu() for name, grad in gradients.items()}))
            assert counts.by_operation("kernel")["_foreach_copy_"] == (2 if most else 0)
            tuning.close()
            assert table.base._together is None
    (loss, gradients), (wanted, theirs) = found
    assert loss == pytest.approx(
        wanted, rel=1e-3 if method == "lora" else 0
    )  # whose update has its own copies
    torch.testing.assert_close(gradients, theirs)  # what a tied weight gets from each place is added up anew


@pytest.mark.parametrize("method", ["dora", "vera", "ia3"])
def test_adapters_that_would_cast_an_input_back_get_it_as_it_was(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], method: str
) -> None:
    assert narrowing(tune(bench("t5", precision="bf16"), method).model) == []


@pytest.mark.parametrize("method", ["full", "top_layers", "lora"])
def test_what_is_trained_and_all_that_is_kept_stays_fp32(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], method: str
) -> None:
    table = bench("t5", precision="bf16")
    before, forwards = checksum(table.base.model), cast(table.base.model)
    tuning = tune(table, method, learning_rate=0.01)
    assert not any(part.weight.requires_grad for part in cast(tuning.model))
    assert bool(cast(tuning.model)) == (method != "full")
    assert {value.dtype for value in tuning.model.state_dict().values()} == {torch.float32}
    tuning.advance(16)
    tuning.close()
    assert (checksum(table.base.model), cast(table.base.model)) == (before, forwards) == (before, [])


def test_in_fp32_nothing_is_cast(bench: Callable[..., Workbench], tune: Callable[..., FineTuning]) -> None:
    assert cast(tune(bench("t5"), "lora").model) == []
    tuning = tune(bench("t5", precision="bf16"), "lora")
    examples = tuning.bench.encoded("train")[:2]
    with torch.no_grad(), tuning.base.full_precision():
        full, _ = teacher_forced(tuning.base, tuning.model.eval(), examples)
    with torch.no_grad():
        plain, _ = teacher_forced(bench("t5").base, bench("t5").base.model.eval(), examples)
    torch.testing.assert_close(full, plain)


def test_a_merged_adapter_is_in_the_copies_and_out_again(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    tuning = tune(bench("t5", precision="bf16"), "lora", learning_rate=0.05)
    tuning.advance(32)
    examples = tuning.bench.encoded("train")[:4]

    @torch.no_grad()
    def logits(model: Any) -> Tensor:
        return teacher_forced(tuning.base, model.eval(), examples)[0]

    adapted = logits(tuning.model)
    with tuning.model.disable_adapter():
        plain = logits(tuning.model)
    with merged(tuning.model) as is_merged:
        assert is_merged
        together = logits(tuning.model)
    assert (together - adapted).abs().mean() < 0.2 * (adapted - plain).abs().mean()
    assert torch.equal(logits(tuning.model), adapted)
