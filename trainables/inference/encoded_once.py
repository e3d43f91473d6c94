"""Encode each source once, although it is needed twice: for the loss and for generation."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput

from trainables.model import LoadedModel


@contextmanager
def encoded_once(base: LoadedModel) -> Iterator[None]:
    """Reuse the encoder's states within the block for rows that it has read before.

    A row is known by a digest of its tokens, or of its embeddings where a soft prompt is among them, so that
    nothing but the same input finds the same states. For evaluation: what is found again has no gradient, and
    all rows are kept until the block ends. A model without an encoder is left alone.
    """
    if not base.is_encoder_decoder:
        yield
        return
    encoder = base.model.get_encoder()
    own = vars(encoder).get("forward")
    encoder.forward = _remembering(encoder.forward)
    try:
        yield
    finally:
        if own is None:
            del encoder.forward
        else:
            encoder.forward = own


def _remembering(forward: Any) -> Any:
    known: dict[bytes, Tensor] = {}
    """States `(tokens, width)` of each row."""

    @wraps(forward)  # transformers reads the signature
    def encode(
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **options: Any,
    ) -> Any:
        given = input_ids if inputs_embeds is None else inputs_embeds
        assert given is not None
        mask = given.new_ones(given.shape[:2]) if attention_mask is None else attention_mask
        mask = mask.bool()
        keys = [_digest(row[kept]) for row, kept in zip(given, mask, strict=True)]
        if all(key in known for key in keys):
            states = torch.cat([known[key] for key in keys])
            padded = states.new_zeros((*mask.shape, states.shape[1]))
            padded[mask] = states
            return BaseModelOutput(last_hidden_state=padded)
        output = forward(
            input_ids=input_ids, attention_mask=attention_mask, inputs_embeds=inputs_embeds, **options
        )
        known.update(
            {key: row[kept] for key, row, kept in zip(keys, output.last_hidden_state, mask, strict=True)}
        )
        return output

    return encode


def _digest(row: Tensor) -> bytes:
    """SHA-256; of the bits, since NumPy has no bf16."""
    return hashlib.sha256(row.contiguous().view(torch.uint8).cpu().numpy().tobytes()).digest()
