"""VB-LoRA (Li et al., 2024, arXiv 2405.15179): low-rank updates from one bank of trained vectors."""

import math
from collections.abc import Mapping
from typing import Any

from peft import PeftModel, VBLoRAConfig
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.targets import shapes, unquantized
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Add low-rank updates put together from one bank of trained vectors, which all layers share.

    A vector is as long as fits into all layers, at most 256 as in the paper.
    """
    names = unquantized(model, hyperparameters["targets"])
    length = math.gcd(256, *(side for shape in shapes(model, names) for side in shape))
    config = VBLoRAConfig(
        r=hyperparameters["rank"],
        num_vectors=hyperparameters["vectors"],
        vector_length=length,
        vblora_dropout=hyperparameters["dropout"],
        target_modules=names,
    )
    return wrap(model, config)
