"""VeRA (Kopiczko et al., 2023, arXiv 2310.11454): trained vectors between shared random matrices."""

from collections.abc import Mapping
from typing import Any

from peft import PeftModel, VeraConfig
from transformers import PreTrainedModel

from trainables.methods._wrap import draw, wrap
from trainables.targets import unquantized
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Add updates through one pair of random matrices that all layers share; only vectors are trained."""
    config = VeraConfig(
        r=hyperparameters["rank"],
        d_initial=hyperparameters["initial_scale"],
        vera_dropout=hyperparameters["dropout"],
        projection_prng_key=draw(),
        target_modules=unquantized(model, hyperparameters["targets"]),
    )
    return wrap(model, config)
