"""LoHa (FedPara, Hyeon-Woo et al., 2021, arXiv 2108.06098; LyCORIS, arXiv 2309.14859)."""

from collections.abc import Mapping
from typing import Any

from peft import LoHaConfig, PeftModel
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.targets import plain_linear
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Add the elementwise product of two low-rank updates, whose rank is up to `rank` squared."""
    config = LoHaConfig(
        r=hyperparameters["rank"],
        alpha=hyperparameters["rank"] * hyperparameters["alpha_ratio"],
        rank_dropout=hyperparameters["dropout"],
        target_modules=plain_linear(model, hyperparameters["targets"]),
    )
    return wrap(model, config)
