"""P-tuning (GPT Understands, Too; Liu et al., 2021, arXiv 2103.10385): soft tokens made by a network."""

from collections.abc import Mapping
from typing import Any

from peft import PeftModel, PromptEncoderConfig
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Put `virtual_tokens` soft tokens before the source, which a network of `hidden` units makes.

    One submodule, the encoder, on encoder-decoders: see prompt tuning.
    """
    config = PromptEncoderConfig(
        num_virtual_tokens=hyperparameters["virtual_tokens"],
        num_transformer_submodules=1,
        encoder_hidden_size=hyperparameters["hidden"],
    )
    return wrap(model, config)
