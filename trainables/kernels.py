"""Replace computations of a model, which transformers does step by step or slowly, by faster kernels.

Results are those of transformers' own code but for rounding.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.activations import NewGELUActivation
from transformers.masking_utils import eager_mask

BIASED = "merged_bias"
"""The name of `biased_attention` in transformers' registry."""
BIASED_MODELS = ("t5", "mt5")
"""Types of models that add a bias for relative positions to the scores, the same in all layers of a stack."""
MOST_SCORES = 2**24
"""Scores of a layer, over batch and heads, that training keeps; beyond, memory counts more than time."""
RMS_NORMS = ("T5LayerNorm", "MT5LayerNorm", "LlamaRMSNorm", "MistralRMSNorm", "Qwen2RMSNorm")
"""transformers' classes of root mean square norms that differ in nothing but their names."""
_KEPT = "_merged_with_mask"


def choose_kernels(model: PreTrainedModel, attention: str) -> None:
    """Change the model in place; `attention` is the task's option and takes precedence unless it is auto."""
    for parent in model.modules():
        for name, child in parent.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(parent, name, nn.GELU(approximate="tanh"))
            if type(child).__name__ in RMS_NORMS:
                setattr(parent, name, FusedRMSNorm(child))
    if attention == "auto" and model.config.model_type in BIASED_MODELS:
        model.set_attn_implementation(BIASED)


class FusedRMSNorm(nn.Module):
    """A norm in one kernel, which transformers computes in seven, of an input in the dtype of its weight."""

    output_dtype: torch.dtype | None = None
    """Where autocast is on, what is returned is cast to it."""

    def __init__(self, norm: Any) -> None:
        super().__init__()
        self.weight = norm.weight
        self.variance_epsilon = norm.variance_epsilon

    def forward(self, states: Tensor) -> Tensor:
        normed = functional.rms_norm(states, self.weight.shape, self.weight, self.variance_epsilon)
        if self.output_dtype is not None and torch.is_autocast_enabled(states.device.type):
            return normed.to(self.output_dtype)
        return normed


def biased_attention(  # noqa: PLR0913 - what transformers calls it with
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    position_bias: Tensor,
    scaling: float = 1.0,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Compute attention with a bias on its scores; queries `(batch, heads, tokens, width)`.

    Bias and mask are added up once, not in every layer. Where `_by_products` says so the matrix products
    are written out: a CPU's fused kernel takes up to twice as long backwards in bf16, falls back on a slow
    one where the bias is trained, and is made for many queries, not for one.
    """
    if _by_products(query, key, position_bias):
        scores = query @ key.transpose(2, 3)
        scores = (scores if scaling == 1 else scores * scaling) + _merged(position_bias, attention_mask)
        weights = functional.dropout(scores.softmax(dim=-1), dropout, training=module.training)
        output = weights.to(value.dtype) @ value
    else:
        output = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=_merged(position_bias, attention_mask, query.dtype),
            dropout_p=dropout,
            scale=scaling,
        )
    return output.transpose(1, 2).contiguous(), None


def _by_products(query: Tensor, key: Tensor, bias: Tensor) -> bool:
    if query.device.type != "cpu":
        return False
    if query.shape[2] == 1:
        return True
    if not torch.is_grad_enabled() or query.shape[:3].numel() * key.shape[2] > MOST_SCORES:
        return False
    return bias.requires_grad or query.dtype is torch.bfloat16


def _merged(bias: Tensor, mask: Tensor | None, dtype: torch.dtype | None = None) -> Tensor:
    """Bias plus mask `(batch or 1, heads, queries, keys)`; kept with the bias, which all layers share."""
    dtype = dtype or bias.dtype
    kept: tuple[Tensor | None, Tensor] | None = getattr(bias, _KEPT, None)
    if kept is None or kept[0] is not mask or kept[1].dtype is not dtype:
        kept = mask, (bias if mask is None else bias + mask).to(dtype)
        setattr(bias, _KEPT, kept)
    return kept[1]


AttentionInterface.register(BIASED, biased_attention)
AttentionMaskInterface.register(BIASED, eager_mask)
