"""BitFit (Ben Zaken et al., 2021, arXiv 2106.10199): only the biases are trained."""

from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedModel

from trainables.errors import NotApplicable
from trainables.methods._own import train
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PreTrainedModel:
    """Train every bias of the model; NotApplicable where it has none, as T5 and Llama."""
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    if not biases:
        raise NotApplicable(f"{type(model).__name__} has no biases")
    return train(model, biases)
