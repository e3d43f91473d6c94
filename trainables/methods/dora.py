"""DoRA: Weight-Decomposed Low-Rank Adaptation (Liu et al., 2024, arXiv 2402.09353)."""

from collections.abc import Mapping
from typing import Any

from peft import PeftModel
from transformers import PreTrainedModel

from trainables.methods.lora import low_rank
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """As LoRA, which then learns the direction of each weight's columns, and beside it their length."""
    alpha = hyperparameters["rank"] * hyperparameters["alpha_ratio"]
    return low_rank(model, hyperparameters, lora_alpha=alpha, use_dora=True)
