"""Roles mean the same layers for every family, held against lists written by hand."""

from collections.abc import Callable

import pytest
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from trainables.errors import InputError
from trainables.loop import FineTuning
from trainables.targets import blocks, resolve, shapes
from trainables.workbench import Workbench

T5_ATTENTION = [
    f"{block}.{layer}.{name}"
    for stack, layers in {
        "encoder": ["layer.0.SelfAttention"],
        "decoder": ["layer.0.SelfAttention", "layer.1.EncDecAttention"],
    }.items()
    for block in (f"{stack}.block.0", f"{stack}.block.1")
    for layer in layers
    for name in ("q", "k", "v", "o")
]
T5_LINEAR = [
    f"{stack}.block.{i}.layer.{layer}.DenseReluDense.{name}"
    for stack, layer in (("encoder", 1), ("decoder", 2))
    for i in (0, 1)
    for name in ("wi_0", "wi_1", "wo")
]
BART_LAYERS = [f"model.{stack}.layers.{i}" for stack in ("encoder", "decoder") for i in (0, 1)]
BART_ATTENTION = [
    f"{layer}.{block}.{name}"
    for layer in BART_LAYERS
    for block in (["self_attn", "encoder_attn"] if "decoder" in layer else ["self_attn"])
    for name in ("q_proj", "k_proj", "v_proj", "out_proj")
]
BART_LINEAR = [f"{layer}.{name}" for layer in BART_LAYERS for name in ("fc1", "fc2")]
LLAMA_ATTENTION = [
    f"model.layers.{i}.self_attn.{name}" for i in (0, 1) for name in ("q_proj", "k_proj", "v_proj", "o_proj")
]
LLAMA_LINEAR = [
    f"model.layers.{i}.mlp.{name}" for i in (0, 1) for name in ("gate_proj", "up_proj", "down_proj")
]
ROLES = {
    ("t5", "attention"): T5_ATTENTION,
    ("t5", "all-linear"): T5_ATTENTION + T5_LINEAR,
    ("bart", "attention"): BART_ATTENTION,
    ("bart", "all-linear"): BART_ATTENTION + BART_LINEAR,
    ("llama", "attention"): LLAMA_ATTENTION,
    ("llama", "all-linear"): LLAMA_ATTENTION + LLAMA_LINEAR,
}
SMALL_ROLES = {
    ("t5", "keys-values"): [name for name in T5_ATTENTION if name[-2:] in (".k", ".v")],
    ("t5", "feed-forward-out"): [name for name in T5_LINEAR if name.endswith(".wo")],
    ("bart", "keys-values"): [name for name in BART_ATTENTION if name.endswith(("k_proj", "v_proj"))],
    ("bart", "feed-forward-out"): [name for name in BART_LINEAR if name.endswith(".fc2")],
    ("llama", "keys-values"): [name for name in LLAMA_ATTENTION if name.endswith(("k_proj", "v_proj"))],
    ("llama", "feed-forward-out"): [name for name in LLAMA_LINEAR if name.endswith(".down_proj")],
}
NORMS = {"t5": 2 * 2 + 2 * 3 + 2, "bart": 2 * 2 + 2 * 3 + 2, "llama": 2 * 2 + 1}
"""Two in an encoder's block, three in a decoder's, one at each stack's end (T5) or start (BART)."""


@pytest.mark.parametrize(("family", "role"), ROLES | SMALL_ROLES)
def test_a_role_is_these_layers(bench: Callable[..., Workbench], family: str, role: str) -> None:
    assert sorted(resolve(bench(family).base.model, role)) == sorted((ROLES | SMALL_ROLES)[family, role])


@pytest.mark.parametrize(("family", "count"), NORMS.items())
def test_norms_are_all_normalisation_layers(bench: Callable[..., Workbench], family: str, count: int) -> None:
    model = bench(family).base.model
    names = resolve(model, "norms")
    assert len(names) == count
    kinds = {type(model.get_submodule(name)).__name__ for name in names}
    assert kinds == {"LayerNorm" if family == "bart" else "FusedRMSNorm"}


@pytest.mark.parametrize("family", ["t5", "bart", "llama"])
def test_shapes_are_inputs_and_outputs(bench: Callable[..., Workbench], family: str) -> None:
    model = bench(family).base.model
    names = resolve(model, "all-linear")
    for name, (inputs, outputs) in zip(names, shapes(model, names), strict=True):
        layer = model.get_submodule(name)
        assert (inputs, outputs) == (layer.in_features, layer.out_features)


@pytest.mark.parametrize(("family", "role"), ROLES)
def test_lora_goes_into_these_layers_and_no_others(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, role: str
) -> None:
    model = tune(bench(family), "lora", targets=role).model.get_base_model()
    adapted = [name for name, module in model.named_modules() if hasattr(module, "lora_A")]
    assert sorted(adapted) == sorted(ROLES[family, role])


def test_gpt2s_own_kind_of_linear_layer_counts() -> None:
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=9, n_positions=8))
    attention = ["transformer.h.0.attn.c_attn", "transformer.h.0.attn.c_proj"]
    assert resolve(model, "attention") == attention
    linear = ["transformer.h.0.mlp.c_fc", "transformer.h.0.mlp.c_proj"]
    assert resolve(model, "all-linear") == attention + linear
    assert shapes(model, linear) == [(8, 32), (32, 8)]
    assert resolve(model, "keys-values") == attention[:1]
    assert resolve(model, "feed-forward-out") == linear[1:]
    assert blocks(model) == list(model.transformer.h)


class Convolutions(nn.Module):
    """A model without the layers that are looked for: its one linear layer is the output head."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv1d(2, 2, 3)
        self.head = nn.Linear(2, 2)

    def get_output_embeddings(self) -> nn.Module:
        return self.head

    def get_decoder(self) -> nn.Module:
        return self


def test_a_model_without_blocks_is_refused() -> None:
    with pytest.raises(InputError, match="Convolutions has no list of blocks"):
        blocks(Convolutions())  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ["attention", "all-linear", "keys-values", "feed-forward-out", "norms"])
def test_a_model_without_such_layers_is_refused(role: str) -> None:
    message = f"no (linear )?layer of Convolutions plays the role '{role}'.*Conv1d, Convolutions, Linear"
    with pytest.raises(InputError, match=message):
        resolve(Convolutions(), role)  # type: ignore[arg-type]
