"""Prefix tuning (Li and Liang, 2021, arXiv 2101.00190): trained keys and values in every layer."""

from collections.abc import Mapping
from typing import Any

from peft import PeftModel, PrefixTuningConfig
from transformers import PreTrainedModel

from trainables.errors import NotApplicable
from trainables.methods._wrap import wrap
from trainables.task import Task

HIDDEN = 512
"""Units of the network that makes the prefix: peft's T5 example has as many."""


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Put `virtual_tokens` trained keys and values before those of every layer's self-attention.

    Of an encoder-decoder only the decoder gets them: peft hands them over as its key-value cache.
    """
    if task.gradient_checkpointing:
        raise NotApplicable("its keys and values come as a cache, which gradient checkpointing drops")
    _check_window(model, hyperparameters["virtual_tokens"] + task.max_source_tokens + task.max_target_tokens)
    config = PrefixTuningConfig(
        num_virtual_tokens=hyperparameters["virtual_tokens"],
        prefix_projection=hyperparameters["projection"] == "mlp",
        encoder_hidden_size=HIDDEN,
        **_heads(model),
    )
    return wrap(model, config)


def _check_window(model: PreTrainedModel, longest: int) -> None:
    """Layers that look back over a window would lose the prefix, sooner behind the padding of generation."""
    config = model.config
    window, kinds = getattr(config, "sliding_window", None), getattr(config, "layer_types", None)
    if window is not None and window < longest and (kinds is None or "sliding_attention" in kinds):
        raise NotApplicable(f"layers that look back over {window} tokens would not see its prefix")


def _heads(model: PreTrainedModel) -> dict[str, Any]:
    """T5's keys need not be as wide as the model, as peft assumes: FLAN-T5-small's are not."""
    width = getattr(model.config, "d_kv", None)
    if width is None:
        return {}
    heads = model.config.num_heads
    return {
        "num_attention_heads": heads,
        "token_dim": heads * width,
        "num_layers": model.config.num_decoder_layers,
    }
