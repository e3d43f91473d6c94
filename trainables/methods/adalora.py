"""AdaLoRA (Zhang et al., 2023, arXiv 2303.10512): LoRA whose ranks are given to the layers that use them."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from peft import AdaLoraConfig, PeftModel
from torch import Tensor
from transformers import PreTrainedModel

from trainables.callback import Callback
from trainables.methods._ranks import Ranks
from trainables.methods._wrap import wrap
from trainables.targets import unquantized
from trainables.task import Task

ALLOCATIONS = 100
"""How often, at the most, ranks are taken away in a training: each time sorts the scores of all."""
SCORES = ("exp_avg_ipt", "exp_avg_unc")
"""peft's names for smoothed importance and its uncertainty."""


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
    """peft's schedule of ranks, and the penalty that keeps singular vectors orthogonal.

    Which ranks are left is kept here, out of the adapter's configuration: from there, peft would cut the
    exported matrices to them, warn of those cut to nothing, and warn of all when they are loaded.
    """

    def __init__(self, model: PeftModel) -> None:
        self.model = model
        self.config = model.active_peft_config
        tuner: Any = model.base_model
        self.schedule = tuner.rankallocator.budget_schedule
        self.ranks = Ranks(tuner.model, self.config)

    def regularise(self) -> None:
        (self.config.orth_reg_weight * orthogonality(self.model)).backward()

    def after_step(self, step: int) -> None:
        """As peft's `update_and_allocate`: the last ranks are taken when the final phase begins."""
        last = self.config.total_step - self.config.tfinal
        budget, is_due = self.schedule(step)
        if step < last:
            self.ranks.update()
            if is_due:
                self.ranks.allocate(budget)
        elif step == last:
            self.ranks.allocate(budget)
            self.ranks.forget()
        else:
            self.ranks.mask()

    def tensors(self) -> dict[str, Tensor]:
        """Smoothed importance and its uncertainty, and which ranks are left, by the parameters' names."""
        ranks = self.ranks
        found: dict[str, Tensor] = {}
        if ranks.sensitivity is not None and ranks.uncertainty is not None:
            for kind, flat in zip(SCORES, (ranks.sensitivity, ranks.uncertainty), strict=True):
                found |= {f"{kind}/{name}": part for name, part in ranks.parts(flat).items()}
        if ranks.kept is not None:
            found |= {f"kept/{name}": rows for name, rows in zip(ranks.values, ranks.kept, strict=True)}
        return found

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        ranks, device = self.ranks, self.model.device
        ranks.sensitivity, ranks.uncertainty = (
            torch.cat([tensors[f"{kind}/{name}"].flatten() for name in ranks.names]).to(device)
            if f"{kind}/{ranks.names[0]}" in tensors
            else None
            for kind in SCORES
        )
        kept = [tensors[f"kept/{name}"] for name in ranks.values if f"kept/{name}" in tensors]
        ranks.kept = torch.stack(kept).to(device) if kept else None


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
