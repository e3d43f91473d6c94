"""The order in which a trial sees its data, and the padding of its batches."""

import math
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

import torch
from torch import Tensor

from trainables.encode import Encoded

IGNORED = -100
"""Label of a position that must not be learned: padding, and a causal model's prompt."""
BUCKET_BATCHES = 200
"""Batches that are sorted by length together: enough to pad little, few enough that epochs differ.

fairseq sorts all examples. On DialogSum in batches of 16, of source and target tokens 3 % are padding of
sources and 11 % padding of targets; with 50 batches, sorted by the sum of both lengths, 6 % and 27 %.
"""
SOURCE_STEP = 16
"""Sources whose lengths differ by less are sorted by their targets."""
Order = int | tuple[int, int]
"""What an example is sorted by."""


class Batch(NamedTuple):
    """Token ids, attention mask and labels, each of `(batch, tokens)`.

    A packed batch has position ids in place of the mask.
    """

    input_ids: Tensor
    attention_mask: Tensor | None
    labels: Tensor
    position_ids: Tensor | None = None


def order_of(example: Encoded, *, is_encoder_decoder: bool) -> Order:
    """Order examples so that neighbours need little padding, in the encoder and in the decoder."""
    if is_encoder_decoder:
        return len(example.source) // SOURCE_STEP, len(example.target)
    return example.length


def epoch_batches(lengths: Sequence[Order], batch_size: int, seed: str) -> list[list[int]]:
    """Return one epoch's batches of example indices: shuffled, with similar lengths within a batch.

    A pure function of its arguments, so that a resumed trial finds the order it left.
    """
    random = Random(seed)
    order = list(range(len(lengths)))
    random.shuffle(order)
    bucket = batch_size * BUCKET_BATCHES
    batches = []
    for start in range(0, len(order), bucket):
        chunk = sorted(order[start : start + bucket], key=lengths.__getitem__)
        batches += [chunk[i : i + batch_size] for i in range(0, len(chunk), batch_size)]
    random.shuffle(batches)
    return batches


def training_batches(
    lengths: Sequence[Order], batch_size: int, *, examples: int, seed: str
) -> list[list[int]]:
    """Return all batches of a budget of `examples`, epoch after epoch; the last is cut to meet it exactly."""
    plan: list[list[int]] = []
    left, epoch = examples, 0
    while left > 0:
        for batch in epoch_batches(lengths, batch_size, f"{seed}/epoch-{epoch}"):
            if left > 0:
                plan.append(batch[:left])
                left -= len(plan[-1])
        epoch += 1
    return plan


def collate(examples: Sequence[Encoded], pad: int, *, is_encoder_decoder: bool) -> Batch:
    """Pad a training batch to its longest example; label `IGNORED` whatever must not be learned.

    Labels stand where the logits that predict them stand: for a causal model one place to the left of
    the token itself.
    """
    if is_encoder_decoder:
        sources, labels = [e.source for e in examples], [e.target for e in examples]
    else:
        sources = [e.source + e.target for e in examples]
        labels = [causal_labels(e) for e in examples]
    input_ids, mask = padded(sources, pad)
    return Batch(input_ids, mask, padded(labels, IGNORED)[0])


def causal_labels(example: Encoded) -> list[int]:
    """Label each target token at the position before it, and nothing else."""
    return [IGNORED] * (len(example.source) - 1) + example.target + [IGNORED]


def padded_tokens(examples: Sequence[Encoded], *, is_encoder_decoder: bool) -> int:
    """Count the tokens that a batch from `collate` takes in the model, padding included."""
    if is_encoder_decoder:
        longest = max(len(e.source) for e in examples) + max(len(e.target) for e in examples)
    else:
        longest = max(len(e.source) + len(e.target) for e in examples)
    return len(examples) * longest


def padded(rows: Sequence[list[int]], value: int, *, left: bool = False) -> tuple[Tensor, Tensor]:
    """Pad rows of token ids to one `(batch, longest)` tensor; return it with its attention mask."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), value, dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for row, tokens in enumerate(rows):
        span = slice(longest - len(tokens), None) if left else slice(0, len(tokens))
        ids[row, span] = torch.tensor(tokens, dtype=torch.long)
        mask[row, span] = 1
    return ids, mask


def by_tokens(lengths: Sequence[int], budget: int, parts: int = 1) -> Iterator[list[int]]:
    """Group row indices into batches of similar length, longest first, of at most `budget` padded tokens.

    Each batch is then cut into `parts`.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if batch and (len(batch) + 1) * lengths[batch[0]] > budget:
            yield from _cut(batch, parts)
            batch = []
        batch.append(index)
    if batch:
        yield from _cut(batch, parts)


def _cut(batch: list[int], parts: int) -> Iterator[list[int]]:
    size = math.ceil(len(batch) / parts)
    return (batch[start : start + size] for start in range(0, len(batch), size))


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor of the host to the device, which CUDA does from pinned memory while the host goes on."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
