"""Linear probing (Alain and Bengio, 2016, arXiv 1610.01644): only the output head is trained."""

from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedModel

from trainables.errors import NotApplicable
from trainables.methods._own import train
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PreTrainedModel:
    """Train the output head; NotApplicable where it is one tensor with the embeddings of the input."""
    head = model.get_output_embeddings()
    if head.weight is model.get_input_embeddings().weight:
        raise NotApplicable(f"the output head of this {type(model).__name__} is its input embedding too")
    return train(model, head.parameters())
