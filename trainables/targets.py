"""Which modules an adapter goes into, named by their role and found in the model itself.

peft's own defaults differ between methods and model types; a role means the same for each.
"""

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from trainables.errors import InputError

ROLES = ("attention", "all-linear")


def resolve(model: PreTrainedModel, role: str) -> list[str]:
    """Full names of the linear layers that `role` stands for.

    `attention`: the linear layers of every attention block; `all-linear`: every linear layer but the
    output head ("LoRA Without Regret", Thinking Machines, 2025, finds these to beat attention alone).

    Raises:
        InputError: no module of the model plays this role.
    """
    assert role in ROLES, role
    head = model.get_output_embeddings()
    linear = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not head
    }
    names = [name for name in linear if role == "all-linear" or _in_attention(model, name)]
    if not names:
        kinds = sorted({type(module).__name__ for module in model.modules()})
        raise InputError(
            f"targets: no linear layer of {type(model).__name__} plays the role {role!r}. "
            f"Its modules are of the kinds {', '.join(kinds)}."
        )
    return names


def _in_attention(model: PreTrainedModel, name: str) -> bool:
    """Whether a module lies directly in an attention block, judged by the class of that block."""
    return "attention" in type(model.get_submodule(name.rpartition(".")[0])).__name__.lower()
