"""LoKr (KronA, Edalati et al., 2022, arXiv 2212.10650; LyCORIS, arXiv 2309.14859)."""

from collections.abc import Mapping
from typing import Any

from peft import LoKrConfig, PeftModel
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.targets import plain_linear
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Add the Kronecker product of a small matrix and a low-rank one."""
    config = LoKrConfig(
        r=hyperparameters["rank"],
        alpha=hyperparameters["rank"] * hyperparameters["alpha_ratio"],
        rank_dropout=hyperparameters["dropout"],
        target_modules=plain_linear(model, hyperparameters["targets"]),
    )
    return wrap(model, config)
