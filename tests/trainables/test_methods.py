"""What every method must do on every family of models; a new method is tested by being there."""

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

import spaces
from trainables import methods
from trainables.loop import FineTuning
from trainables.workbench import Workbench

FAMILIES = ("t5", "bart", "llama")
EVERY_METHOD = pytest.mark.parametrize("method", methods.available())
EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES)
HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
)


def bits(tensors: dict[str, Tensor]) -> dict[str, str]:
    return {
        name: hashlib.sha256(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()).hexdigest()
        for name, tensor in tensors.items()
    }


def state(model: nn.Module) -> dict[str, Any]:
    """All of a model that could be left changed: weights by SHA-256, parts, attributes, hooks, settings."""
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {
        "bits": bits(tensors),
        "dtypes": {name: (tensor.dtype, tensor.device) for name, tensor in tensors.items()},
        "parts": {name: type(part) for name, part in model.named_modules()},
        "attributes": {name: sorted(vars(part)) for name, part in model.named_modules()},
        "hooks": {
            name: [len(getattr(part, hooks)) for hooks in HOOKS] for name, part in model.named_modules()
        },
        "trainable": [name for name, p in model.named_parameters() if p.requires_grad],
        "gradients": [name for name, p in model.named_parameters() if p.grad is not None],
        "config": model.config.to_dict(),
        "generation": model.generation_config.to_dict(),
        "tied": model.get_output_embeddings().weight is model.get_input_embeddings().weight,
    }


def frozen(tuning: FineTuning) -> dict[str, Tensor]:
    return {name: p for name, p in tuning.model.named_parameters() if not p.requires_grad} | dict(
        tuning.model.named_buffers()
    )


def test_every_method_has_a_space() -> None:
    assert methods.available() == spaces.available()


@EVERY_METHOD
@EVERY_FAMILY
def test_only_what_the_method_adds_or_claims_is_trained_and_counted(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> None:
    table = bench(family)
    base = {id(p) for p in table.base.model.parameters()}
    total = sum(p.numel() for p in table.base.model.parameters())
    tuning = tune(table, method)
    trained = [p for p in tuning.model.parameters() if p.requires_grad]
    assert trained
    assert {id(p) for p in tuning.parameters.values()} == {id(p) for p in trained}
    if isinstance(tuning.model, PeftModel):
        assert not {id(p) for p in trained} & base
        peft_trainable, peft_total = tuning.model.get_nb_trainable_parameters()
    else:
        assert {id(p) for p in trained} == base
        peft_trainable, peft_total = total, total
    cost = tuning.cost()
    assert cost["trainable_parameters"] == peft_trainable == sum(p.numel() for p in trained)
    assert cost["total_parameters"] == peft_total


@EVERY_METHOD
@EVERY_FAMILY
def test_all_that_is_trained_gets_a_gradient_and_moves_and_nothing_else_does(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> None:
    """Row by row for what was added: not one soft token may stay where it was."""
    tuning = tune(bench(family), method, examples=24, learning_rate=0.01)
    before = {name: p.detach().clone() for name, p in tuning.parameters.items()}
    held = bits(frozen(tuning))
    reached = {name: torch.zeros_like(p, dtype=torch.bool) for name, p in tuning.parameters.items()}

    def watch(name: str) -> Any:
        def note(gradient: Tensor) -> None:
            reached[name] |= gradient != 0

        return tuning.parameters[name].register_hook(note)

    handles = [watch(name) for name in tuning.parameters]
    assert len(tuning.advance(24)) == 3
    for handle in handles:
        handle.remove()
    for name, parameter in tuning.parameters.items():
        for changed in (reached[name], parameter.detach() != before[name]):
            assert changed.any(), name
            assert changed.any(dim=-1).all() or not isinstance(tuning.model, PeftModel), f"dead rows: {name}"
    assert bits(frozen(tuning)) == held


@EVERY_METHOD
@EVERY_FAMILY
def test_the_start_depends_on_the_seed_alone(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> None:
    starts = []
    for seed in (1, 1, 2):
        tuning = tune(bench(family), method, seed=seed)
        starts.append((bits(tuning.parameters), tuning.plan))
        tuning.close()
    assert starts[0] == starts[1]
    assert starts[0][1] != starts[2][1]
    assert (starts[0][0] != starts[2][0]) == (method != "full")


@EVERY_METHOD
@EVERY_FAMILY
def test_what_is_exported_loads_with_the_libraries_own_call_and_does_the_same(
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    tmp_path: Path,
    family: str,
    method: str,
) -> None:
    table = bench(family, taught=True)
    untrained = answer(table, table.base.model)
    tuning = tune(table, method, examples=24, learning_rate=0.01)
    tuning.advance(24)
    table.base.export(tuning.model, tmp_path)
    logits, text = answer(table, tuning.model)

    kind = AutoModelForSeq2SeqLM if table.base.is_encoder_decoder else AutoModelForCausalLM
    if isinstance(tuning.model, PeftModel):
        loaded = PeftModel.from_pretrained(kind.from_pretrained(table.task.model), str(tmp_path))
    else:
        loaded = kind.from_pretrained(tmp_path)
        assert AutoTokenizer.from_pretrained(tmp_path).get_vocab() == table.base.tokenizer.get_vocab()
    again = answer(table, loaded)
    assert torch.equal(again[0], logits)
    assert again[1] == text
    assert not torch.equal(untrained[0], logits)


def answer(table: Workbench, model: Any) -> tuple[Tensor, list[int]]:
    """A model's logits and its text for one source, without any of our own code."""
    row = table.encoded("validation")[0]
    ids, target = torch.tensor([row.source]), torch.tensor([row.target])
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    decoder = {"decoder_input_ids": target} if table.base.is_encoder_decoder else {}
    model.eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Position ids are not supported", UserWarning)
        logits = model(**inputs, **decoder).logits
        text = model.generate(**inputs, do_sample=False, num_beams=1, max_new_tokens=12)
    return logits, text[0].tolist()


@EVERY_METHOD
@EVERY_FAMILY
def test_after_a_trial_the_base_is_bit_for_bit_what_it_was(
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    tmp_path: Path,
    family: str,
    method: str,
) -> None:
    table = bench(family)
    before = state(table.base.model)
    assert before["tied"] == (family != "llama")
    tuning = tune(table, method, examples=16, learning_rate=0.01)
    tuning.advance(16)
    tuning.evaluate("validation", 2)
    tuning.save(tmp_path / "checkpoint", {})
    table.base.export(tuning.model, tmp_path / "adapter")
    tuning.close()
    after = state(table.base.model)
    for part, value in before.items():
        assert after[part] == value, part
