"""Soft prompts before a batch: as peft puts them there, but for a mask that the host makes."""

import torch
from peft import PromptEncoderConfig, PromptTuningConfig
from torch import Tensor

from trainables.methods import Model


def soft_tokens(model: Model) -> int:
    """Return how many embeddings a method trains to stand before each source: 0 for most."""
    config = getattr(model, "active_peft_config", None)
    return config.num_virtual_tokens if isinstance(config, PromptTuningConfig | PromptEncoderConfig) else 0


def with_soft_prompt(model: Model, ids: Tensor) -> Tensor:
    """Embed soft prompt and ids `(rows, tokens)`: `(rows, soft and other tokens, width)`."""
    embeddings = model.word_embeddings(ids)
    prompt = model.get_prompt(batch_size=len(ids))[
        :, : soft_tokens(model)
    ]  # peft may make one for the decoder
    return torch.cat([prompt.to(embeddings.dtype), embeddings], dim=1)


def widened(mask: Tensor, soft: int) -> Tensor:
    """Let a mask `(rows, tokens)` show `soft` more tokens before each row."""
    return torch.cat([mask.new_ones(len(mask), soft), mask], dim=1)
