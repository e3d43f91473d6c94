"""Top layers (What Would Elsa Do?; Lee et al., 2019, arXiv 1911.03090): the last blocks are trained."""

import math
from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedModel

from trainables.targets import blocks
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PreTrainedModel:
    """Train the last blocks, a `share` of all: of the decoder, whose blocks end in what is written."""
    found = blocks(model)
    for block in found[-math.ceil(hyperparameters["share"] * len(found)) :]:
        block.requires_grad_(True)
    return model
