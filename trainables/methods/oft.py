"""OFT: Orthogonal Finetuning (Qiu et al., 2023, arXiv 2306.07280)."""

from collections.abc import Mapping
from typing import Any

from peft import OFTConfig, PeftModel
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.targets import plain_linear
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Rotate the inputs of the linear layers of a role, in blocks of `block_size`."""
    config = OFTConfig(
        oft_block_size=hyperparameters["block_size"],
        module_dropout=hyperparameters["dropout"],
        target_modules=plain_linear(model, hyperparameters["targets"]),
    )
    return wrap(model, config)
