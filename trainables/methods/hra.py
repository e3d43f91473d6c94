"""HRA (Yuan et al., 2024, arXiv 2405.17484): a chain of trained Householder reflections."""

from collections.abc import Mapping
from typing import Any

from peft import HRAConfig, PeftModel
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.targets import plain_linear
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Reflect the inputs of the linear layers of a role `reflections` times; pairs begin as the identity."""
    config = HRAConfig(
        r=hyperparameters["reflections"],
        target_modules=plain_linear(model, hyperparameters["targets"]),
    )
    return wrap(model, config)
