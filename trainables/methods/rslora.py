"""rsLoRA: rank-stabilised LoRA (Kalajdzievski, 2023, arXiv 2312.03732)."""

from collections.abc import Mapping
from typing import Any

from peft import PeftModel
from transformers import PreTrainedModel

from trainables.methods.lora import low_rank
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """As LoRA, with the update scaled by `alpha` / sqrt(`rank`), so that a higher rank learns more."""
    return low_rank(model, hyperparameters, lora_alpha=hyperparameters["alpha"], use_rslora=True)
