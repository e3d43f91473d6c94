"""What the host knows of the batch that a model reads, so that nobody has to ask the device and wait."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

from trainables.compat.transformers import attention_of

Rows = Sequence[Sequence[int]]
"""Token ids, a list a row of the batch."""
_ROWS: ContextVar[Rows] = ContextVar("rows")


def rows_read() -> Rows:
    """Return the rows of the batch that is being read: within a block of `reading`."""
    return _ROWS.get()


@contextmanager
def reading(model: PreTrainedModel, rows: Rows) -> Iterator[None]:
    """Build the attention masks within the block for a batch of these rows of token ids.

    transformers drops a mask that hides nothing and reads it back from the device to find out, once a forward
    pass and once a generated token. Here the lengths of the rows say whether there is padding.
    """
    kind = attention_of(model)
    own = ALL_MASK_ATTENTION_FUNCTIONS[kind]
    is_padded = len({len(row) for row in rows}) > 1

    def mask(*args: Any, attention_mask: Tensor | None = None, **options: Any) -> Any:
        if is_padded and attention_mask is not None:
            options |= {"allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}
        return own(*args, attention_mask=attention_mask if is_padded else None, **options)

    ALL_MASK_ATTENTION_FUNCTIONS[kind] = mask
    token = _ROWS.set(rows)
    try:
        yield
    finally:
        _ROWS.reset(token)
        del ALL_MASK_ATTENTION_FUNCTIONS[kind]
