"""AdaLoRA (Zhang et al., 2023, arXiv 2303.10512): LoRA whose ranks are given to the layers that use them."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from peft import AdaLoraConfig, PeftModel
from torch import Tensor
from transformers import PreTrainedModel

from trainables.callback import Callback
from trainables.methods._wrap import wrap
from trainables.targets import unquantized
from trainables.task import Task

ALLOCATIONS = 100
"""How often, at the most, ranks are taken away in a training: each time sorts the scores of all."""


def attach(model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> PeftModel:
    """Add updates of 1.5 times `target_rank` in the form of a singular value decomposition.

    NotApplicable on four bits, on which what peft 0.21 loads differs from what it saved.

    `callback` sets the schedule by which the ranks are taken away; `total_step` here only has to be there.
    """
    rank = hyperparameters["target_rank"]
    config = AdaLoraConfig(
        init_r=math.ceil(1.5 * rank),
        target_r=rank,
        lora_alpha=rank * hyperparameters["alpha_ratio"],
        lora_dropout=hyperparameters["dropout"],
        orth_reg_weight=hyperparameters["orthogonality"],
        target_modules=unquantized(model, hyperparameters["targets"]),
        total_step=1,
    )
    return wrap(model, config)


def callback(model: PeftModel, hyperparameters: Mapping[str, Any], steps: int) -> Callback:
    """Allocate ranks over the planned steps: none taken in the first phase, none any more in the last.

    With one step there is nothing to allocate.
    """
    final = min(max(1, math.ceil(hyperparameters["final_phase"] * steps)), steps - 1)
    config = model.active_peft_config
    config.total_step, config.tfinal = steps, final
    config.tinit = min(int(hyperparameters["initial_phase"] * steps), max(0, steps - final - 1))
    config.deltaT = max(1, steps // ALLOCATIONS)
    return Allocation(model)


class Allocation(Callback):
    """peft's allocator, called at each step, and the penalty that keeps singular vectors orthogonal.

    Which ranks are left is kept here, out of the adapter's configuration: from there, peft would cut the
    exported matrices to them, warn of those cut to nothing, and warn of all when they are loaded.
    """

    def __init__(self, model: PeftModel) -> None:
        self.model = model
        self.config = model.active_peft_config
        self.tuner: Any = model.base_model
        self.allocator: Any = self.tuner.rankallocator
        self.kept: dict[str, list[bool]] | None = None

    def regularise(self) -> None:
        (self.config.orth_reg_weight * orthogonality(self.model)).backward()

    def after_step(self, step: int) -> None:
        self.config.rank_pattern = self.kept
        self.tuner.update_and_allocate(step)
        self.kept, self.config.rank_pattern = self.config.rank_pattern, None

    def tensors(self) -> dict[str, Tensor]:
        """Smoothed importance and its uncertainty, and which ranks are left, by the parameters' names."""
        scores = {
            f"{kind}/{name}": value
            for kind in ("exp_avg_ipt", "exp_avg_unc", "ipt")
            for name, value in getattr(self.allocator, kind).items()
        }
        kept = {f"kept/{name}": torch.tensor(rows) for name, rows in (self.kept or {}).items()}
        return scores | kept

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        self.allocator.reset_ipt()
        pattern = {}
        for key, value in tensors.items():
            kind, name = key.split("/", 1)
            if kind == "kept":
                pattern[name] = value.tolist()
            else:
                getattr(self.allocator, kind)[name] = value.to(self.model.device)
        self.kept = pattern or None


def orthogonality(model: PeftModel) -> Tensor:
    """How far singular vectors are from orthonormal: the paper's equation 4, a mean over all matrices."""
    by_shape: dict[torch.Size, list[Tensor]] = {}
    for name, p in model.named_parameters():
        if ".lora_A." in name or ".lora_B." in name:
            rows = p if ".lora_A." in name else p.T
            by_shape.setdefault(rows.shape, []).append(rows)
    return torch.cat([_distances(torch.stack(equal)) for equal in by_shape.values()]).mean()


def _distances(matrices: Tensor) -> Tensor:
    """How far the rows of each of the `matrices` (matrices, rank, width) are from orthonormal."""
    grams = matrices @ matrices.mT
    return torch.linalg.matrix_norm(grams - torch.eye(grams.shape[-1], device=grams.device))
