"""Floating-point operations of forward and backward passes, by torch's own formulas."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import (
    flop_registry,
    sdpa_backward_flop_count,
    sdpa_flop_count,
)

from trainables.compat.torch import CPU_ATTENTION, CPU_ATTENTION_BACKWARD, TorchDispatchMode

Formula = Callable[..., int]


class FlopCounter(TorchDispatchMode):
    """Count the matrix products, convolutions and attentions that run inside the context.

    A multiplication and an addition are two operations; what is done element by element is left out, as
    usual. The formulas and the totals are those of torch's `FlopCounterMode`, which takes compound
    operations apart (the gradient of SiLU, for one) and so changes the last bits of a training run; this
    one only looks on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = _FORMULAS.get(func.overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out


def _attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *rest: object, **options: object
) -> int:
    return sdpa_flop_count(query.shape, key.shape, value.shape)


def _attention_backward(gradient: torch.Tensor, *inputs: torch.Tensor, **options: object) -> int:
    query, key, value = inputs[:3]
    return sdpa_backward_flop_count(gradient.shape, query.shape, key.shape, value.shape)


_FORMULAS: dict[Any, Formula] = {
    **flop_registry,
    torch.ops.aten.addmm_: flop_registry[torch.ops.aten.addmm],  # in place, of which torch has none
    CPU_ATTENTION: _attention,
    CPU_ATTENTION_BACKWARD: _attention_backward,
}
