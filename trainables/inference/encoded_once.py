"""Encode each source once, although it is needed twice: for the loss and for generation."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers.modeling_outputs import BaseModelOutput

from trainables.model import LoadedModel
from trainables.reading import rows_read


@contextmanager
def encoded_once(base: LoadedModel) -> Iterator[None]:
    """Reuse the encoder's states within the block for rows that it has read before.

    A row is known by its tokens, as `reading` has them on the host: the model must not change in the block.
    For evaluation: what is found again has no gradient, and all rows are kept until the block ends. A model
    without an encoder is left alone.
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
    known: dict[tuple[int, ...], Tensor] = {}
    """States `(tokens, width)` of each row, a soft prompt's before its own."""

    @wraps(forward)  # transformers reads the signature
    def encode(
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **options: Any,
    ) -> Any:
        rows = [tuple(row) for row in rows_read()]
        if all(row in known for row in rows):
            return BaseModelOutput(
                last_hidden_state=pad_sequence([known[row] for row in rows], batch_first=True)
            )
        output = forward(
            input_ids=input_ids, attention_mask=attention_mask, inputs_embeds=inputs_embeds, **options
        )
        soft = output.last_hidden_state.shape[1] - max(map(len, rows))
        for row, states in zip(rows, output.last_hidden_state, strict=True):
            known[row] = states[: soft + len(row)]
        return output

    return encode
