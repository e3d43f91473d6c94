"""RandLoRA (Albert et al., 2025, arXiv 2502.00987): a full-rank sum of scaled random matrices."""

import math
from collections.abc import Mapping
from typing import Any

from peft import PeftModel, RandLoraConfig
from transformers import PreTrainedModel

from trainables.methods._wrap import draw, wrap
from trainables.targets import resolve, shapes
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Add `bases` random low-rank matrices, scaled by trained diagonals: their sum has full rank.

    Their rank follows from the widest layer, for peft has one rank for all layers. The scale is peft's advice
    for models of any size, 20 times the rank.
    """
    names = resolve(model, hyperparameters["targets"])
    widest = max(min(shape) for shape in shapes(model, names))
    rank = math.ceil(widest / hyperparameters["bases"])
    config = RandLoraConfig(
        r=rank,
        randlora_alpha=20 * rank,
        randlora_dropout=hyperparameters["dropout"],
        projection_prng_key=draw(),
        target_modules=names,
    )
    return wrap(model, config)
