"""LoRA: Low-Rank Adaptation of Large Language Models (Hu et al., 2021, arXiv 2106.09685)."""

from collections.abc import Mapping
from typing import Any

from peft import LoraConfig, PeftModel
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.targets import resolve
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Add a low-rank update of `rank`, scaled by `alpha_ratio`, to the linear layers of a role."""
    return low_rank(
        model, hyperparameters, lora_alpha=hyperparameters["rank"] * hyperparameters["alpha_ratio"]
    )


def low_rank(model: PreTrainedModel, hyperparameters: Mapping[str, Any], **variant: Any) -> PeftModel:
    """A low-rank update; `variant` holds the fields of `LoraConfig` in which one variant differs."""
    config = LoraConfig(
        r=hyperparameters["rank"],
        lora_dropout=hyperparameters.get("dropout", 0.0),
        target_modules=resolve(model, hyperparameters["targets"]),
        **variant,
    )
    return wrap(model, config)
