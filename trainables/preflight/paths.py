"""What a model makes of examples in its two paths: teacher-forced in training, step by step in generation.

Each is a list with logits `(target tokens, vocabulary)` for each example.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from trainables.batches import IGNORED
from trainables.encode import Encoded
from trainables.inference.generate import forced_logits
from trainables.loss import teacher_forced
from trainables.methods import Model
from trainables.model import LoadedModel

Logits = list[Tensor]

NOISE_NATS: dict[torch.dtype | None, float] = {None: 1e-3, torch.bfloat16: 5e-2, torch.float16: 2e-2}
"""How far apart two ways to compute the same log-likelihood may be, by the dtype of matrix products: the
mean over target tokens. bf16 has 8 bits of precision, fp16 11, fp32 24. The deeper a model the more its
rounding adds up: see `agree`."""
EQUAL = 1e-5
"""The largest difference between logits of the same computation done twice, as a share of the largest logit:
0 on a CPU, rounding where a GPU's kernels add in any order."""


@torch.no_grad()
def training_path(base: LoadedModel, model: Model, examples: Sequence[Encoded]) -> Logits:
    """Compute the logits that the loss is computed from, all `examples` in one batch."""
    logits, labels = teacher_forced(base, model.eval(), examples)
    return [row[where] for row, where in zip(logits, labels != IGNORED, strict=True)]


def generate_path(base: LoadedModel, model: Model, examples: Sequence[Encoded]) -> Logits:
    """Compute the logits of the trial's generation, with padding and cache, forced to write the targets."""
    sources, targets = [e.source for e in examples], [e.target for e in examples]
    logits = forced_logits(base, model.eval(), sources, targets)
    return [row[: len(target)] for row, target in zip(logits, targets, strict=True)]


def distance(first: Logits, second: Logits, examples: Sequence[Encoded]) -> float:
    """Return the mean absolute difference of the target tokens' log-probabilities, in nats."""
    differences = [
        (_log_probabilities(a, e.target) - _log_probabilities(b, e.target)).abs()
        for a, b, e in zip(first, second, examples, strict=True)
    ]
    return torch.cat(differences).mean().item()


def in_fp32(base: LoadedModel, path: Callable[[], Logits]) -> Logits | None:
    """Compute logits in fp32; None where matrix products are in fp32 already, or cannot be."""
    if base.autocast_dtype is None or base.task.attention == "flash_attention_2":
        return None
    with base.full_precision():
        return path()


def agree(first: Logits | None, second: Logits | None, examples: Sequence[Encoded]) -> bool:
    """Return whether two computations `in_fp32` agree: then only rounding sets them apart elsewhere."""
    return first is not None and second is not None and distance(first, second, examples) <= NOISE_NATS[None]


def equal(first: Logits, second: Logits) -> bool:
    """Return whether all logits are equal, but for the rounding of the device's kernels."""
    return all(
        (a - b).abs().max() <= EQUAL * torch.maximum(a.abs().max(), b.abs().max())
        for a, b in zip(first, second, strict=True)
    )


def _log_probabilities(logits: Tensor, target: list[int]) -> Tensor:
    tokens = torch.tensor(target, device=logits.device).unsqueeze(1)
    return logits.log_softmax(dim=1).gather(1, tokens).squeeze(1)
