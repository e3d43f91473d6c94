"""Greedy generation for a whole split: batched by length, with the key-value cache."""

from collections.abc import Sequence

import torch
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
    config = _config(base, cap)
    outputs: list[list[int]] = [[] for _ in sources]
    for batch in by_tokens([len(source) for source in sources], BATCH_TOKENS):
        rows = [sources[i] for i in batch]
        ids, mask = padded(rows, config.pad_token_id, left=not base.is_encoder_decoder)
        with torch.no_grad(), base.autocast():
            written = model.generate(
                input_ids=ids.to(base.device), attention_mask=mask.to(base.device), generation_config=config
            )
        for i, tokens in zip(batch, _new_tokens(base, written, ids).tolist(), strict=True):
            outputs[i] = tokens
    return outputs


def _config(base: Base, cap: int) -> GenerationConfig:
    own = base.model.generation_config
    return GenerationConfig(
        max_new_tokens=cap,
        do_sample=False,
        num_beams=1,
        pad_token_id=base.tokenizer.pad_token_id,
        **{name: value for name in SPECIAL_TOKENS if (value := getattr(own, name, None)) is not None},
    )


def _new_tokens(base: Base, written: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
    """Strip what was given: the decoder's start token, or a causal model's source.

    The source is absent after generation from embeddings, as prompt tuning does.
    """
    if base.is_encoder_decoder:
        return written[:, 1:]
    given_tokens = given.shape[1]
    return written[:, given_tokens:] if torch.equal(written[:, :given_tokens].cpu(), given) else written
