"""PiSSA: Principal Singular Values and Vectors Adaptation (Meng et al., 2024, arXiv 2404.02948)."""

from collections.abc import Mapping
from typing import Any

from peft import PeftModel
from transformers import PreTrainedModel

from trainables.methods.lora import low_rank
from trainables.targets import unquantized
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """As LoRA, begun at each weight's largest singular values; the rest of the weight is what is frozen.

    Not scaled, and by the exact decomposition: a randomised one would be another when it is loaded.
    """
    unquantized(model, hyperparameters["targets"])
    return low_rank(model, hyperparameters, lora_alpha=hyperparameters["rank"], init_lora_weights="pissa")
