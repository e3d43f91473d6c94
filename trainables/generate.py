"""Greedy generation for a whole split: batched by length, with the key-value cache."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from peft import PeftModel, PromptEncoderConfig, PromptTuningConfig
from torch import Tensor
from transformers import GenerationConfig

from trainables.batches import by_tokens, padded
from trainables.methods import Model
from trainables.model import Base

BATCH_TOKENS = 16_384
"""Source tokens, padding included, that are generated for at once."""
SPECIAL_TOKENS = ("bos_token_id", "eos_token_id", "decoder_start_token_id", "forced_bos_token_id")


def greedy(base: Base, model: Model, sources: Sequence[list[int]], *, cap: int) -> list[list[int]]:
    """The tokens that `model` writes for each source, at most `cap`, special tokens included.

    Only the special tokens are taken from the model's own generation settings: beams, length penalties
    and the like would make methods differ in what is searched, not in what was learned.
    """
    outputs: list[list[int]] = [[] for _ in sources]
    with _settings(base, cap) as settings, torch.no_grad(), base.autocast():
        for batch in by_tokens([len(source) for source in sources], BATCH_TOKENS):
            written = _written(base, model, [sources[i] for i in batch], settings)
            for i, tokens in zip(batch, written.tolist(), strict=True):
                outputs[i] = tokens
    return outputs


@contextmanager
def _settings(base: Base, cap: int) -> Iterator[GenerationConfig]:
    """Greedy settings in place of the model's own, which fill in what settings handed over leave open."""
    own = base.model.generation_config
    base.model.generation_config = GenerationConfig(
        max_new_tokens=cap,
        do_sample=False,
        num_beams=1,
        pad_token_id=base.tokenizer.pad_token_id,
        **{name: value for name in SPECIAL_TOKENS if (value := getattr(own, name, None)) is not None},
    )
    try:
        yield base.model.generation_config
    finally:
        base.model.generation_config = own


def _written(base: Base, model: Model, rows: list[list[int]], settings: GenerationConfig) -> Tensor:
    """New tokens `(rows, at most the cap)`: without the decoder's start token or a causal model's source."""
    ids, mask = padded(rows, base.tokenizer.pad_token_id, left=not base.is_encoder_decoder)
    ids, mask = ids.to(base.device), mask.to(base.device)
    if not base.is_encoder_decoder and _reads_soft_prompt(model):
        embeddings, mask = _with_soft_prompt(model, ids, mask)
        return base.model.generate(inputs_embeds=embeddings, attention_mask=mask, generation_config=settings)
    written: Tensor = model.generate(input_ids=ids, attention_mask=mask, generation_config=settings)
    return written[:, 1:] if base.is_encoder_decoder else written[:, ids.shape[1] :]


def _reads_soft_prompt(model: Model) -> bool:
    return isinstance(model, PeftModel) and isinstance(
        model.active_peft_config, PromptTuningConfig | PromptEncoderConfig
    )


def _with_soft_prompt(model: Model, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Embeddings `(rows, tokens, width)` of padding, soft prompt and source, in this order; and their mask.

    As in training, the soft prompt stands right before the source. peft's own `generate` puts it before
    the padding and counts the padding's places, so that a source would be read differently in a batch.
    """
    prompts = model.get_prompt(batch_size=len(ids))
    embeddings = torch.cat([prompts, model.word_embeddings(ids)], dim=1)
    mask = torch.cat([mask.new_ones(prompts.shape[:2]), mask], dim=1)
    order = mask.argsort(dim=1, stable=True)
    return embeddings.gather(1, order.unsqueeze(2).expand_as(embeddings)), mask.gather(1, order)
