"""LoRA: Low-Rank Adaptation of Large Language Models (Hu et al., 2021, arXiv 2106.09685)."""

from collections.abc import Mapping
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from trainables.targets import resolve
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Add a low-rank update of `rank`, scaled by `alpha_ratio`, to the linear layers of a role."""
    rank = hyperparameters["rank"]
    config = LoraConfig(
        task_type="SEQ_2_SEQ_LM" if model.config.is_encoder_decoder else "CAUSAL_LM",
        r=rank,
        lora_alpha=rank * hyperparameters["alpha_ratio"],
        lora_dropout=hyperparameters["dropout"],
        target_modules=resolve(model, hyperparameters["targets"]),
    )
    return get_peft_model(model, config)
