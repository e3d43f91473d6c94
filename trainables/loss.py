"""Cross-entropy of target tokens, computed from the logits so that no method's penalty is in it."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from trainables.batches import IGNORED, Batch, by_tokens, collate
from trainables.encode import Encoded
from trainables.methods import Model
from trainables.model import Base

EVALUATION_TOKENS = 4_096
"""Tokens, padding included, whose logits are held at once where no gradient is needed."""


def summed_cross_entropy(base: Base, model: Model, examples: Sequence[Encoded]) -> Tensor:
    """Nats, summed over all target tokens of `examples` in one forward pass."""
    logits, labels = teacher_forced(base, model, examples)
    return functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def teacher_forced(base: Base, model: Model, examples: Sequence[Encoded]) -> tuple[Tensor, Tensor]:
    """Logits `(batch, tokens, vocabulary)` of one forward pass, and the labels at the same places."""
    pad = base.tokenizer.pad_token_id
    batch = collate(examples, pad, is_encoder_decoder=base.is_encoder_decoder).to(base.device)
    with base.autocast():
        logits = _logits(base, model, batch)
    return logits.float(), batch.labels


@torch.no_grad()
def mean_cross_entropy(base: Base, model: Model, examples: Sequence[Encoded], *, parts: int = 1) -> float:
    """Nats a target token over all `examples`; batches are cut into `parts` to save memory."""
    total = 0.0
    for indices in by_tokens([example.length for example in examples], EVALUATION_TOKENS, parts):
        total += summed_cross_entropy(base, model, [examples[i] for i in indices]).item()
    return total / sum(len(example.target) for example in examples)


def _logits(base: Base, model: Model, batch: Batch) -> Tensor:
    """Logits `(batch, tokens, vocabulary)` that predict the labels at the same places."""
    inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
    if base.is_encoder_decoder:
        inputs["decoder_input_ids"] = base.model.prepare_decoder_input_ids_from_labels(labels=batch.labels)
    logits: Tensor = model(**inputs).logits
    return logits[:, -batch.labels.shape[1] :]  # a causal model's soft prompt adds places before
