"""LN tuning (Zhao et al., 2023, arXiv 2312.11420): only the normalisation layers are trained."""

import warnings
from collections.abc import Mapping
from typing import Any

from peft import LNTuningConfig, PeftModel
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.targets import resolve
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Train the scales (and shifts, where there are any) of every normalisation layer."""
    with warnings.catch_warnings():
        # peft looks for the widths of a linear layer, which a normalisation layer has not and does not need.
        warnings.filterwarnings("ignore", "Unsupported layer type", UserWarning)
        return wrap(model, LNTuningConfig(target_modules=resolve(model, "norms")))
