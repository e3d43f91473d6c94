"""Every name of torch that is not public, pinned to torch 2.13 by `tests/test_compat.py`."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

CPU_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
CPU_ATTENTION_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
"""The CPU's fused attention, of which torch 2.13 has no FLOP formula: it would count as nothing."""

__all__ = ["CPU_ATTENTION", "CPU_ATTENTION_BACKWARD", "TorchDispatchMode"]
