"""The embedded model before it has learned anything, and the optimisers that teach it."""

from __future__ import annotations

import torch
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

PEAK_LEARNING_RATES = {
    "matrices": 2e-2,
    "queries": 4e-3,
    "embedding": 3e-2,
    "position biases": 3e-2,
    "norms": 3e-3,
}
"""Muon's for the first two, with which the model learned faster than with AdamW, per second too;
AdamW's for the rest.
T5 does not scale attention by the head's size, so its queries are small and take small steps; it draws
embeddings with a deviation of 1, so they take large ones, and so do position biases, because
copying needs heads that
look at the piece before."""


def small_t5(tokenizer: PreTrainedTokenizerFast) -> T5ForConditionalGeneration:
    """A T5 (1.1 layout, embeddings tied) of two and a half million weights."""
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=160,
        d_kv=32,
        d_ff=448,
        num_heads=5,
        num_layers=3,
        num_decoder_layers=3,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    config.decoder_start_token_id = tokenizer.pad_token_id
    return T5ForConditionalGeneration(config)


SHIPPED_SCALE = 0.25
"""Of the weights that are saved. A power of two rounds nothing in bf16."""


def scale_weights(model: T5ForConditionalGeneration, factor: float) -> None:
    """Multiply all matrices and divide all gains of norms by `factor`, in place: the model computes the same.

    Each matrix reads what a norm has scaled, or writes to a sum that a norm will scale, so that nothing but
    the size of the weights changes, and with it the learning rates that suit them: Adam's steps do not depend
    on the size of a weight. Muon leaves larger weights than usual models have; scaled down they learn well
    at the usual rates.
    """
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "relative_attention_bias" not in name:
                weight.mul_(1 / factor if "norm" in name else factor)


def make_optimizers(model: T5ForConditionalGeneration) -> list[torch.optim.Optimizer]:
    """Muon (Jordan 2024, kellerjordan.github.io/posts/muon) for the hidden matrices, AdamW for the rest."""
    embedding = model.get_input_embeddings().weight
    named: dict[str, list[torch.nn.Parameter]] = {group: [] for group in PEAK_LEARNING_RATES}
    for name, weight in model.named_parameters():
        named["embedding" if weight is embedding else _group(name)].append(weight)
    groups = [{"params": named[group], "peak_lr": rate} for group, rate in PEAK_LEARNING_RATES.items()]
    return [
        torch.optim.Muon(groups[:2], weight_decay=0.01),
        torch.optim.AdamW(groups[2:], betas=(0.9, 0.98), weight_decay=0),
    ]


def _group(name: str) -> str:
    if "norm" in name:
        return "norms"
    if "relative_attention_bias" in name:
        return "position biases"
    return "queries" if name.endswith(".q.weight") else "matrices"
