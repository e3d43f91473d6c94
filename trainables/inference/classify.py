"""Which label word a model finds most likely: no text is generated, so an output is always a label."""

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional

from trainables.batches import IGNORED, by_tokens
from trainables.encode import Encoded
from trainables.loss import EVALUATION_TOKENS, teacher_forced
from trainables.methods import Model
from trainables.model import LoadedModel


@torch.no_grad()
def log_likelihoods(
    base: LoadedModel,
    model: Model,
    sources: Sequence[list[int]],
    labels: Sequence[list[int]],
    *,
    parts: int = 1,
) -> Tensor:
    """Compute the log-probability of each label after each source, in nats, `(sources, labels)`.

    The end token counts, so that this is the probability of sampling exactly this label. Batches are cut
    into `parts` to save memory.
    """
    pairs = [Encoded(*pair, source_cut=0, target_cut=0) for pair in product(sources, labels)]
    found = torch.empty(len(pairs))
    for indices in by_tokens([pair.length for pair in pairs], EVALUATION_TOKENS, parts):
        logits, targets = teacher_forced(base, model, [pairs[i] for i in indices])
        nats = functional.cross_entropy(
            logits.transpose(1, 2), targets, ignore_index=IGNORED, reduction="none"
        )
        found[indices] = -nats.sum(dim=1).cpu()
    return found.view(len(sources), len(labels))


def most_likely(
    base: LoadedModel, model: Model, sources: Sequence[list[int]], labels: Sequence[str], *, parts: int = 1
) -> list[str]:
    """Pick the label of each source; of equally likely ones the first."""
    tokens = base.encoder.targets(labels)
    best = log_likelihoods(base, model, sources, tokens, parts=parts).argmax(dim=1)
    return [labels[i] for i in best.tolist()]
