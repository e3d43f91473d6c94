"""Greedy generation for a whole split: batched by length, with the key-value cache."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from trainables.batches import by_tokens, padded, to_device
from trainables.inference import SPECIAL_TOKENS
from trainables.inference.decoding import decode
from trainables.methods import Model
from trainables.model import LoadedModel
from trainables.preemption import check_notice
from trainables.reading import reading
from trainables.soft_prompt import soft_tokens, widened, with_soft_prompt

BATCH_TOKENS = 16_384
"""Most source tokens of a batch, padding included."""


def greedy(base: LoadedModel, model: Model, sources: Sequence[list[int]], *, cap: int) -> list[list[int]]:
    """Generate at most `cap` tokens for each source, special tokens included.

    Only the special tokens are taken from the model's own generation settings: beams, length penalties
    and the like would make methods differ in what is searched, not in what was learned.
    """
    outputs: list[list[int]] = [[] for _ in sources]
    ends = to_device(torch.tensor(sorted(end_tokens(base))), base.device)
    decoding = partial(decode, pad=base.tokenizer.pad_token_id, ends=ends)
    with _settings(base, cap) as settings, torch.no_grad(), base.autocast():
        for batch in by_tokens([len(source) for source in sources], BATCH_TOKENS):
            check_notice()
            written = _written(base, model, [sources[i] for i in batch], settings, decoding)
            for i, tokens in zip(batch, written.tolist(), strict=True):
                outputs[i] = tokens
    return outputs


def forced_logits(
    base: LoadedModel, model: Model, sources: Sequence[list[int]], targets: Sequence[list[int]]
) -> Tensor:
    """Return the logits `(rows, longest target, vocabulary)` of generation forced to write `targets`."""
    cap = max(map(len, targets))
    forced = _Forced(targets, base.tokenizer.pad_token_id)
    decoding = partial(decode, pad=base.tokenizer.pad_token_id, ends=None)
    with _settings(base, cap) as settings, torch.no_grad(), base.autocast():
        forcing = LogitsProcessorList([forced])
        _generate(base, model, list(sources), settings, custom_generate=decoding, logits_processor=forcing)
    return torch.stack(forced.logits, dim=1)


def end_tokens(base: LoadedModel) -> set[int]:
    """Return the tokens that end an output: the model's own, and that of the targets."""
    own = base.model.generation_config.eos_token_id
    return {base.encoder.end_token_id, *(own if isinstance(own, list) else [own] if own is not None else [])}


class _Forced(LogitsProcessor):
    """Allow only the next token of each row's target, and record the logits."""

    def __init__(self, targets: Sequence[list[int]], pad: int) -> None:
        self._steps = iter(padded(targets, pad)[0].T)
        self.logits: list[Tensor] = []
        """Of each step, `(rows, vocabulary)`."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Forced":
        return self  # peft hands on copies of what it is given

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        self.logits.append(scores)
        token = next(self._steps).to(scores.device).unsqueeze(1)
        return torch.full_like(scores, -torch.inf).scatter(1, token, 0.0)


@contextmanager
def _settings(base: LoadedModel, cap: int) -> Iterator[GenerationConfig]:
    """Return greedy settings without gaps, which transformers would fill from the model's own.

    Where tokens are numbers it copies them to the device for each batch, and looks there whether they make
    sense: `decode` knows those that end and pad, and the one that starts is on the device already.
    """
    own = base.model.generation_config
    bos, start, forced = (getattr(own, name, None) for name in SPECIAL_TOKENS)
    start = bos if start is None else start
    if base.is_encoder_decoder and start is not None:
        start = to_device(torch.tensor(start), base.device)
    base.model.generation_config = GenerationConfig(
        max_new_tokens=cap,
        do_sample=False,
        num_beams=1,
        decoder_start_token_id=start if base.is_encoder_decoder else None,
        forced_bos_token_id=forced,
    )
    try:
        yield base.model.generation_config
    finally:
        base.model.generation_config = own


def _written(
    base: LoadedModel, model: Model, rows: list[list[int]], settings: GenerationConfig, decoding: Any
) -> Tensor:
    """Generate new tokens `(rows, at most cap)`, without the decoder's start token or a causal source."""
    written = _generate(base, model, rows, settings, custom_generate=decoding)
    if base.is_encoder_decoder:
        return written[:, 1:]
    return written if soft_tokens(model) else written[:, max(map(len, rows)) :]


def _generate(
    base: LoadedModel, model: Model, rows: list[list[int]], settings: GenerationConfig, **options: Any
) -> Tensor:
    """Call transformers' `generate` with `options` as further arguments."""
    ids, mask = padded(rows, base.tokenizer.pad_token_id, left=not base.is_encoder_decoder)
    options |= {"generation_config": settings}
    soft = soft_tokens(model)
    mask = widened(mask, soft)
    with reading(base.model, rows):
        ids = to_device(ids, base.device)
        if not soft:
            return model.generate(input_ids=ids, attention_mask=to_device(mask, base.device), **options)
        embeddings = with_soft_prompt(model, ids)
        if not base.is_encoder_decoder:
            # As in training, the soft prompt stands right before the source. peft's own `generate` puts it
            # before the padding and counts the padding's places: a source would be read otherwise in a batch.
            order = mask.argsort(dim=1, stable=True)
            mask = mask.gather(1, order)
            order = to_device(order, base.device)
            embeddings = embeddings.gather(1, order.unsqueeze(2).expand_as(embeddings))
        mask = to_device(mask, base.device)
        return base.model.generate(inputs_embeds=embeddings, attention_mask=mask, **options)
