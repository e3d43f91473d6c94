"""Several examples in one row of a causal model's batch, each with its own positions, blind to the others.

A model of transformers tells them apart by position ids that begin anew, where it gets no attention mask and
keeps no cache: each token then attends to the earlier ones of its own example alone. This block-diagonal
attention is that of Krell et al., 2021 (arXiv 2107.02027); in transformers see masking_utils.py,
`find_packed_sequence_indices`.
"""

import math
from collections.abc import Sequence

from trainables.batches import IGNORED, Batch, causal_labels, padded
from trainables.encode import Encoded


def pack(examples: Sequence[Encoded], pad: int, capacity: int) -> Batch:
    """Pack examples into a batch `(rows, tokens)` whose rows hold `capacity` tokens or little more.

    Each token of padding has position 0, and so is an example of its own.
    """
    bins = [[examples[i] for i in row] for row in rows([e.length for e in examples], capacity)]
    tokens, _ = padded([[token for e in row for token in e.source + e.target] for row in bins], pad)
    labels, _ = padded([[label for e in row for label in causal_labels(e)] for row in bins], IGNORED)
    positions, _ = padded([[place for e in row for place in range(e.length)] for row in bins], 0)
    return Batch(tokens, None, labels, positions)


def rows(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Assign example indices to rows: as few as `capacity` allows, and about equally long.

    The longest example first, each goes into the row that is shortest so far (Graham, 1969,
    doi.org/10.1137/0117039: the longest row is at most 4/3 of the shortest possible).
    """
    found: list[list[int]] = [[] for _ in range(math.ceil(sum(lengths) / capacity))]
    filled = [0] * len(found)
    for index in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        shortest = filled.index(min(filled))
        found[shortest].append(index)
        filled[shortest] += lengths[index]
    return found


def packed_tokens(lengths: Sequence[int], capacity: int) -> int:
    """Count the tokens of a packed batch in the model, padding included."""
    bins = rows(lengths, capacity)
    return len(bins) * max(sum(lengths[i] for i in row) for row in bins)
