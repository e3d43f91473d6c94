"""Which modules a method adapts or trains, named by their role and found in the model itself.

peft's own defaults differ between methods and model types; a role means the same for each.
"""

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from trainables.errors import InputError, NotApplicable

KEYS_AND_VALUES = {"k", "v", "k_proj", "v_proj", "key", "value", "c_attn", "query_key_value", "qkv_proj"}
"""Names of the layers that make keys and values, fused ones among them: there is no other mark of them."""


def resolve(model: PreTrainedModel, role: str) -> list[str]:
    """Return the full names of the modules that `role` stands for.

    `attention`: the linear layers of every attention block; `all-linear`: every linear layer but the
    output head ("LoRA Without Regret", Thinking Machines, 2025, finds these to beat attention alone);
    `keys-values`: those that make the keys and values; `feed-forward-out`: those that lead from the inner
    activations of a feed-forward layer back to the model's width; `norms`: the normalisation layers.

    Raises:
        InputError: no module of the model plays this role.
    """
    assert role in ROLES, role
    head, kind, plays = model.get_output_embeddings(), *ROLES[role]
    names = [
        name
        for name, module in model.named_modules()
        if module is not head and kind(module) and plays(model, name)
    ]
    if not names:
        kinds = sorted({type(module).__name__ for module in model.modules()})
        raise InputError(
            f"targets: no {'layer' if role == 'norms' else 'linear layer'} of {type(model).__name__} "
            f"plays the role {role!r}. Its modules are of the kinds {', '.join(kinds)}."
        )
    return names


def unquantized(model: PreTrainedModel, role: str) -> list[str]:
    """As `resolve`, for methods that read or change the weights and cannot do so in four bits.

    Raises:
        NotApplicable: the model is quantised.
    """
    if is_quantized(model):
        raise NotApplicable(f"it cannot adapt the quantised layers of {type(model).__name__}")
    return resolve(model, role)


def plain_linear(model: PreTrainedModel, role: str) -> list[str]:
    """As `unquantized`, for methods that know no other kind of linear layer than torch's own.

    Raises:
        NotApplicable: a layer of this role is of GPT-2's own kind, or the model is quantised.
    """
    names = unquantized(model, role)
    if any(isinstance(model.get_submodule(name), Conv1D) for name in names):
        raise NotApplicable(f"{type(model).__name__} has Conv1D in place of torch.nn.Linear layers")
    return names


def is_quantized(model: PreTrainedModel) -> bool:
    """Return whether transformers loaded the weights in fewer bits than can be trained."""
    return getattr(model, "is_quantized", False)


def shapes(model: PreTrainedModel, names: Iterable[str]) -> list[tuple[int, int]]:
    """Return the numbers of inputs and outputs of each of these linear layers."""
    return [_shape(model.get_submodule(name)) for name in names]


def blocks(model: PreTrainedModel) -> list[nn.Module]:
    """Return the transformer blocks of the decoder, from the input to the output.

    Raises:
        InputError: the model has no list of blocks.
    """
    outermost = (part for part in model.get_decoder().modules() if isinstance(part, nn.ModuleList))
    found = next(outermost, None)
    if found is None:
        raise InputError(f"{type(model).__name__} has no list of blocks of which the last could be trained.")
    return list(found)


def _is_linear(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear | Conv1D)


def _is_norm(module: nn.Module) -> bool:
    return "norm" in type(module).__name__.lower()


def _in_attention(model: PreTrainedModel, name: str) -> bool:
    """Return whether a module lies directly in an attention block, judged by the class of that block."""
    return "attention" in type(model.get_submodule(name.rpartition(".")[0])).__name__.lower()


def _makes_keys_or_values(model: PreTrainedModel, name: str) -> bool:
    return _in_attention(model, name) and name.rpartition(".")[2] in KEYS_AND_VALUES


def _narrows_outside_attention(model: PreTrainedModel, name: str) -> bool:
    inputs, outputs = _shape(model.get_submodule(name))
    return inputs > outputs and not _in_attention(model, name)


def _shape(layer: Any) -> tuple[int, int]:
    if isinstance(layer, nn.Linear):  # by name: a quantised weight has another shape
        return layer.in_features, layer.out_features
    inputs, outputs = layer.weight.shape
    return inputs, outputs


ROLES: dict[str, tuple[Callable[[nn.Module], bool], Callable[[PreTrainedModel, str], bool]]] = {
    "attention": (_is_linear, _in_attention),
    "all-linear": (_is_linear, lambda model, name: True),
    "keys-values": (_is_linear, _makes_keys_or_values),
    "feed-forward-out": (_is_linear, _narrows_outside_attention),
    "norms": (_is_norm, lambda model, name: True),
}
"""For each role, what kind of module plays it, and which of that kind do, by their full names."""
