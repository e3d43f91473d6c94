"""Cross-entropy of target tokens, computed from the logits so that no method's penalty is in it."""

from collections.abc import Sequence
from inspect import signature

import torch
from torch import Tensor
from torch.nn import functional

from trainables.batches import IGNORED, Batch, by_tokens, collate, to_device
from trainables.encode import Encoded
from trainables.methods import Model
from trainables.model import LoadedModel
from trainables.packing import pack
from trainables.reading import reading
from trainables.soft_prompt import soft_tokens, widened, with_soft_prompt

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
    inputs, labels = _inputs(base, batch, soft_tokens(model))
    inputs, labels = {k: to_device(v, base.device) for k, v in inputs.items()}, to_device(labels, base.device)
    with base.autocast(), reading(base.model, [] if capacity else _rows(base, examples)):
        logits = _logits(base, model, inputs)
    return logits[:, -labels.shape[1] :].float(), labels


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
    return "logits_to_keep" in signature(base.model.forward).parameters


def _inputs(base: LoadedModel, batch: Batch, soft: int) -> tuple[dict[str, Tensor], Tensor]:
    """Return the model's inputs after `soft` tokens, and the labels at the places whose logits it gives."""
    inputs, labels = {"input_ids": batch.input_ids}, batch.labels
    if batch.attention_mask is not None:
        inputs["attention_mask"] = widened(batch.attention_mask, soft)
    if batch.position_ids is not None:
        inputs["position_ids"] = batch.position_ids
    if base.is_encoder_decoder:
        inputs["decoder_input_ids"] = base.model.prepare_decoder_input_ids_from_labels(labels=labels)
    elif _keeps_logits(base):
        kept = (labels != IGNORED).any(dim=0).nonzero().squeeze(1)
        # Counted from the end: a soft prompt adds places before.
        inputs["logits_to_keep"], labels = kept - labels.shape[1], labels[:, kept]
    return inputs, labels


def _logits(base: LoadedModel, model: Model, inputs: dict[str, Tensor]) -> Tensor:
    """Compute logits `(batch, places, vocabulary)`; a cache would copy all keys and values."""
    logits: Tensor
    if soft_tokens(model):
        embeddings = with_soft_prompt(model, inputs.pop("input_ids"))
        logits = model.get_base_model()(inputs_embeds=embeddings, **inputs, use_cache=False).logits
    else:
        logits = model(**inputs, use_cache=False).logits
    return logits
