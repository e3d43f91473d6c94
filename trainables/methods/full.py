"""Full fine-tuning: every parameter of the model is trained."""

from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedModel

from trainables.methods._own import train
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PreTrainedModel:
    """Make every parameter trainable."""
    return train(model, model.parameters())
