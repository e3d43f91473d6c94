"""Prompt tuning (Lester et al., 2021, arXiv 2104.08691): soft tokens before the source, all else frozen."""

from collections.abc import Mapping
from typing import Any

from peft import PeftModel, PromptTuningConfig
from transformers import PreTrainedModel

from trainables.methods._wrap import wrap
from trainables.task import Task


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Put `virtual_tokens` soft tokens before the source, from the vocabulary or from the instruction.

    One submodule, the encoder, on encoder-decoders: with peft's default of two, half of the rows
    never receive a gradient.
    """
    config = PromptTuningConfig(
        num_virtual_tokens=hyperparameters["virtual_tokens"],
        num_transformer_submodules=1,
        **_initialisation(model, hyperparameters["init"], task),
    )
    return wrap(model, config)


def _initialisation(model: PreTrainedModel, init: str, task: Task) -> dict[str, Any]:
    if init == "vocab":
        return {"prompt_tuning_init": "SAMPLE_VOCAB"}
    return {
        "prompt_tuning_init": "TEXT",
        "prompt_tuning_init_text": task.instruction,
        "tokenizer_name_or_path": model.name_or_path,
        "tokenizer_kwargs": {"trust_remote_code": task.trust_remote_code},
    }
