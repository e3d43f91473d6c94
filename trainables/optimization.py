"""AdamW with the field's usual settings, its schedule, fp16's scaled loss, and its state as plain tensors."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import AdamW

CLIP_NORM = 1.0
"""Gradients are scaled down to this norm where they exceed it."""


class Optimization:
    """Updates a trial's parameters over a planned number of steps.

    Weight decay spares vectors (biases and norms), as transformers' Trainer does.

    In fp16 the loss is multiplied by a scale and the gradients are divided by it, else small ones would be
    zero (Micikevicius et al., 2018, arXiv 1710.03740). Where gradients overflow `update` halves the scale and
    changes nothing: the step is to be done again. torch's recipe drops the step instead, but then a method
    with larger gradients would have less training of the same budget.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        hyperparameters: Mapping[str, Any],
        steps: int,
        *,
        scaler: GradScaler | None = None,
    ) -> None:
        self.parameters = list(parameters)
        self.hyperparameters = hyperparameters
        self.steps = steps
        matrices = [p for p in self.parameters if p.ndim > 1]
        vectors = [p for p in self.parameters if p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": hyperparameters["weight_decay"]},
            {"params": vectors, "weight_decay": 0.0},
        ]
        self.optimizer = AdamW(groups, lr=hyperparameters["learning_rate"], fused=True)
        self.scaler = scaler or GradScaler(enabled=False)
        """Of the losses that are differentiated; it does nothing unless matrix products are in fp16."""

    def unscale(self) -> None:
        """Divide the gradients by the scale of their losses; other gradients may be added after that."""
        self.scaler.unscale_(self.optimizer)

    def update(self, step: int) -> bool:
        """Apply the gradients as step number `step`, from 0, and drop them; return whether they were finite.

        All or nothing: whatever needs memory is done before the first weight changes. Gradients that are not
        finite are told only in fp16: that the host knows makes it wait for the device.
        """
        if not self.optimizer.state:
            self.optimizer.state.update({p: _first_state(p) for p in self.parameters})
        norm = nn.utils.clip_grad_norm_(self.parameters, CLIP_NORM)
        if self.scaler.is_enabled() and not norm.isfinite():
            self.drop(0.5)
            return False
        factor = schedule(
            step, self.steps, self.hyperparameters["warmup_ratio"], self.hyperparameters["schedule"]
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.hyperparameters["learning_rate"] * factor
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return True

    def drop(self, factor: float = 1.0) -> None:
        """Drop the gradients of a step that is done again, at `factor` times the scale."""
        self.optimizer.zero_grad(set_to_none=True)
        if self.scaler.is_enabled():
            self.scaler.update(factor * self.scaler.get_scale())

    def tensors(self) -> dict[str, Tensor]:
        """Return the optimiser's state by `<parameter>/<slot>`."""
        state = self.optimizer.state_dict()["state"]
        return {f"{index}/{slot}": value for index, slots in state.items() for slot, value in slots.items()}

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore a state returned by `tensors`."""
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            index, slot = key.split("/")
            state.setdefault(int(index), {})[slot] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})


def loss_scaler(device: torch.device, dtype: torch.dtype | None) -> GradScaler:
    """Return the scaler for matrix products in `dtype`: only fp16's gradients underflow."""
    scaler = GradScaler(device.type, enabled=dtype is torch.float16)
    scaler.scale(torch.zeros((), device=device))  # makes its tensors, which it needs before the first loss
    return scaler


def _first_state(parameter: nn.Parameter) -> dict[str, Tensor]:
    """Allocate AdamW's state at once: fused AdamW would allocate one group after updating another."""
    return {
        "step": torch.zeros((), device=parameter.device),
        "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
    }


def schedule(step: int, steps: int, warmup_ratio: float, shape: str) -> float:
    """Return the share of the learning rate at a step: linear warm-up, then linear or cosine decay to zero.

    The same as transformers' `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup`.
    """
    warmup = math.ceil(steps * warmup_ratio)
    if step < warmup:
        return step / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return 1 - progress if shape == "linear" else 0.5 * (1 + math.cos(math.pi * progress))
