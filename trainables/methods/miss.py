"""MiSS: Matrix Shard Sharing (Kang and Yin, 2024, arXiv 2409.15371)."""

from collections.abc import Mapping
from typing import Any

from peft import MissConfig, PeftModel
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.targets import plain_linear, shapes
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Add one trained matrix a layer, repeated over shards of its inputs.

    The rank is at most the width of the narrowest layer.
    """
    names = plain_linear(model, hyperparameters["targets"])
    narrowest = min(width for width, _ in shapes(model, names))
    config = MissConfig(
        r=min(hyperparameters["rank"], narrowest),
        miss_dropout=hyperparameters["dropout"],
        target_modules=names,
    )
    return wrap(model, config)
