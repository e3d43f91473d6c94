"""FourierFT (Gao et al., 2024, arXiv 2405.03003): updates with a sparse spectrum of trained frequencies."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from peft import FourierFTConfig, PeftModel
from transformers import PreTrainedModel

from trainables.methods._wrap import draw, wrap
from trainables.targets import shapes, unquantized
from trainables.task import Task

SCALE = 150.0


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Add updates of a few trained frequencies, at random places of the spectrum; all begin at zero.

    There are at most as many as the smallest layer has weights. The transform divides by the number of
    weights, so the scale grows with it: it is the paper's for RoBERTa-base where layers are 768 wide.
    """
    names = unquantized(model, hyperparameters["targets"])
    sizes = [width * height for width, height in shapes(model, names)]
    config = FourierFTConfig(
        n_frequency=min(hyperparameters["frequencies"], *sizes),
        scaling=SCALE * fmean(sizes) / 768**2,
        random_loc_seed=draw(),
        init_weights=True,
        target_modules=names,
    )
    return wrap(model, config)
