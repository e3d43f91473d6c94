"""Cross-entropy of target tokens, computed from the logits so that no method's penalty is in it."""

from collections.abc import Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from trainables.batches import IGNORED, Batch, by_tokens, collate
from trainables.encode import Encoded
from trainables.methods import Model
from trainables.model import LoadedModel
from trainables.packing import pack
from trainables.reading import reading

EVALUATION_TOKENS = 4_096
"""Tokens, padding included, whose logits are held at once where no gradient is needed."""


def summed_cross_entropy(
    base: LoadedModel, model: Model, examples: Sequence[Encoded], *, capacity: int | None = None
) -> Tensor:
    """Sum the cross-entropy, in nats, over all target tokens of `examples` in one forward pass.

    `capacity` packs them into rows of so many tokens; None: each has a row of its own.
    """
    logits, labels = teacher_forced(base, model, examples, capacity=capacity)
    return functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def teacher_forced(
    base: LoadedModel, model: Model, examples: Sequence[Encoded], *, capacity: int | None = None
) -> tuple[Tensor, Tensor]:
    """Return logits `(rows, places, vocabulary)` of one forward pass, and the labels `(rows, places)`.

    Of a causal model only those of the places at which a row has a label: sources need none.
    """
    pad = base.tokenizer.pad_token_id
    if capacity is None:
        batch = collate(examples, pad, is_encoder_decoder=base.is_encoder_decoder)
    else:
        batch = pack(examples, pad, capacity)
    kept = _labelled(batch.labels) if _keeps_logits(base) else slice(None)
    batch = batch.to(base.device)
    with base.autocast(), reading(base.model, [] if capacity else _rows(base, examples)):
        logits = _logits(base, model, batch, kept)
    return logits.float(), batch.labels[:, kept]


@torch.no_grad()
def mean_cross_entropy(
    base: LoadedModel, model: Model, examples: Sequence[Encoded], *, parts: int = 1
) -> float:
    """Return the mean cross-entropy in nats a target token; cut batches into `parts` to save memory."""
    total = 0.0
    for indices in by_tokens([example.length for example in examples], EVALUATION_TOKENS, parts):
        total += summed_cross_entropy(base, model, [examples[i] for i in indices]).item()
    return total / sum(len(example.target) for example in examples)


def _rows(base: LoadedModel, examples: Sequence[Encoded]) -> list[list[int]]:
    """Return what the model pads: the sources, of a causal model with their targets."""
    return [e.source if base.is_encoder_decoder else e.source + e.target for e in examples]


def _keeps_logits(base: LoadedModel) -> bool:
    return not base.is_encoder_decoder and "logits_to_keep" in signature(base.model.forward).parameters


def _labelled(labels: Tensor) -> Tensor:
    """Return the places `(places,)` at which at least one row has something to learn."""
    return (labels != IGNORED).any(dim=0).nonzero().squeeze(1)


def _logits(base: LoadedModel, model: Model, batch: Batch, kept: Tensor | slice) -> Tensor:
    """Compute the logits `(batch, places, vocabulary)` that predict the labels at the places `kept`."""
    inputs: dict[str, Any] = {
        "input_ids": batch.input_ids,
        "attention_mask": batch.attention_mask,
        "use_cache": False,  # it would copy all keys and values
    }
    if batch.position_ids is not None:
        inputs["position_ids"] = batch.position_ids
    if base.is_encoder_decoder:
        inputs["decoder_input_ids"] = base.model.prepare_decoder_input_ids_from_labels(labels=batch.labels)
    length = batch.labels.shape[1]
    if isinstance(kept, Tensor):  # counted from the end: a causal model's soft prompt adds places before
        inputs["logits_to_keep"] = (kept - length).to(base.device)
    logits: Tensor = model(**inputs).logits
    return logits if isinstance(kept, Tensor) else logits[:, -length:]
