"""Top layers (What Would Elsa Do?; Lee et al., 2019, arXiv 1911.03090): the last blocks are trained."""

import math
from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedModel

from trainables.methods._own import train
from trainables.targets import blocks
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PreTrainedModel:
    """Train the last blocks, a `share` of all: of the decoder, whose blocks end in what is written."""
    found = blocks(model)
    last = found[-math.ceil(hyperparameters["share"] * len(found)) :]
    return train(model, (parameter for block in last for parameter in block.parameters()))
