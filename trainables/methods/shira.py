"""SHiRA: Sparse High Rank Adapters (Bhardwaj et al., 2024, arXiv 2406.13175)."""

from collections.abc import Mapping
from typing import Any

import torch
from peft import PeftModel, ShiraConfig
from transformers import PreTrainedModel

from trainables.methods._wrap import draw, wrap
from trainables.targets import plain_linear, shapes
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Train single weights at random places, as many as LoRA of `rank` would have numbers.

    The rank is at most what the smallest layer has weights for.
    """
    torch.sparse.check_sparse_tensor_invariants.disable()  # torch's default; unsaid, it warns
    names = plain_linear(model, hyperparameters["targets"])
    highest = min(width * height // (width + height) for width, height in shapes(model, names))
    config = ShiraConfig(
        r=min(hyperparameters["rank"], highest),
        random_seed=draw(),
        target_modules=names,
    )
    return wrap(model, config)
