"""Greedy decoding of a batch from which finished rows are removed."""

from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig
from transformers.cache_utils import Cache
from transformers.utils.generic import ModelOutput

from trainables.batches import to_device
from trainables.compat.transformers import next_model_kwargs

STRIDE = 4
"""Steps between removals of finished rows on a CPU."""
DEVICE_STRIDE = 16
"""The same on a device, which is waited for each time."""


@torch.no_grad()
def decode(  # noqa: PLR0913 - what transformers calls it with
    model: Any,
    input_ids: Tensor,
    logits_processor: Any,
    stopping_criteria: Any,
    generation_config: GenerationConfig,
    *,
    pad: int,
    ends: Tensor | None,
    **model_kwargs: Any,
) -> Tensor:
    """Decode as transformers' greedy loop does: `(rows, given and new tokens)`, `pad` after one of `ends`.

    That loop computes all rows until the last has ended. Most summaries are far shorter than the cap, and a
    model that is hardly trained repeats itself up to the cap in a few rows.

    A `custom_generate` of `GenerationMixin.generate`:
    https://huggingface.co/docs/transformers/generation_strategies#custom-generation-methods
    """
    cap, device = stopping_criteria.max_length, input_ids.device
    stride = STRIDE if device.type == "cpu" else DEVICE_STRIDE
    output = input_ids.new_full((len(input_ids), cap), pad)
    rows = torch.arange(len(input_ids), device=device)
    ended = torch.zeros_like(rows, dtype=torch.bool)
    given = input_ids.shape[1]
    while len(rows):
        written = input_ids.shape[1] - given
        inputs = model.prepare_inputs_for_generation(
            input_ids,
            next_sequence_length=1 if written else None,
            is_first_iteration=not written,
            **model_kwargs,
        )
        outputs = model(**inputs, return_dict=True)
        model_kwargs = next_model_kwargs(model, outputs, model_kwargs)
        logits = logits_processor(input_ids, outputs.logits[:, -1].float())
        token = logits.argmax(dim=-1).masked_fill(ended, pad)
        input_ids = torch.cat([input_ids, token[:, None]], dim=1)
        if ends is not None:
            ended |= torch.isin(token, ends)
        if input_ids.shape[1] == cap:
            return output.index_copy_(0, rows, input_ids)
        if written % stride == stride - 1 and any(has_ended := ended.tolist()):
            gone, live = (_where(has_ended, value, device) for value in (True, False))
            output[rows[gone], : input_ids.shape[1]] = input_ids[gone]
            model_kwargs = _selected(model_kwargs, live, len(rows))
            input_ids, rows, ended = input_ids[live], rows[live], ended[live]
    return output


def _where(values: list[bool], value: bool, device: torch.device) -> Tensor:
    places = [place for place, each in enumerate(values) if each is value]
    return to_device(torch.tensor(places, dtype=torch.long), device)


def _selected(value: Any, live: Tensor, count: int) -> Any:
    """Keep only the `live` of `count` rows in any model input that has rows; caches are changed in place."""
    if isinstance(value, Cache):
        value.batch_select_indices(live)
    elif isinstance(value, dict):
        kept = {name: _selected(each, live, count) for name, each in value.items()}
        return type(value)(**kept) if isinstance(value, ModelOutput) else kept
    elif isinstance(value, Tensor) and value.dim() > 1 and len(value) == count:
        return value[live]
    return value
