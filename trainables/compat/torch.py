"""Every name of torch that is not public, pinned to torch 2.13 by `tests/test_compat.py`."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

CPU_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
CPU_ATTENTION_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
"""The CPU's fused attention, of which torch 2.13 has no FLOP formula: it would count as nothing."""

__all__ = ["CPU_ATTENTION", "CPU_ATTENTION_BACKWARD", "TorchDispatchMode", "copy_all", "multiply_all"]


def copy_all(copies: Sequence[Tensor], tensors: Sequence[Tensor]) -> None:
    """Copy tensors into others of their shapes, whose dtype they take: on a device in one kernel."""
    torch._foreach_copy_(list(copies), list(tensors))


def multiply_all(tensors: Sequence[Tensor], factors: Sequence[float]) -> list[Tensor]:
    """Multiply each tensor by its factor: on a device in one kernel."""
    return list(torch._foreach_mul(list(tensors), list(factors)))
