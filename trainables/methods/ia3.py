"""(IA)³ (Liu et al., 2022, arXiv 2205.05638): trained scales on keys, values and inner activations."""

from collections.abc import Mapping
from typing import Any

from peft import IA3Config, PeftModel
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.targets import resolve, unquantized
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Rescale keys, values, and the inner activations of feed-forward layers by trained vectors.

    NotApplicable on four bits, off which peft 0.21 cannot take it.
    """
    inner = unquantized(model, "feed-forward-out")
    config = IA3Config(target_modules=resolve(model, "keys-values") + inner, feedforward_modules=inner)
    return wrap(model, config)
