"""Batches of exercises: similar lengths together, because padding costs as much time as text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random

import torch
from torch.nn.utils.rnn import pad_sequence

from tools.pretraining.exercises import Example

BATCH = 32
"""Examples a step."""
_BUCKETED_BATCHES = 100
"""Batches that are sorted by length together."""
_BUCKET_PIECES = 24
"""Sources that differ by fewer pieces count as equally long; within them the targets are sorted."""


def bucketed(examples: Iterator[Example], rng: Random) -> Iterator[dict[str, torch.Tensor]]:
    """Batches of examples of similar length, in random order."""
    while True:
        chunk = sorted(
            islice(examples, _BUCKETED_BATCHES * BATCH),
            key=lambda e: (len(e.source) // _BUCKET_PIECES, len(e.target)),
        )
        starts = list(range(0, len(chunk), BATCH))
        rng.shuffle(starts)
        for start in starts:
            yield collate(chunk[start : start + BATCH])


def collate(examples: list[Example]) -> dict[str, torch.Tensor]:
    """Tensors (batch, pieces); sources padded with piece 0, which is not attended to, labels with -100."""
    sources = [torch.tensor(example.source) for example in examples]
    labels = [torch.tensor(example.target) for example in examples]
    source = pad_sequence(sources, batch_first=True)
    return {
        "input_ids": source,
        "attention_mask": (source != 0).long(),
        "labels": pad_sequence(labels, batch_first=True, padding_value=-100),
    }
