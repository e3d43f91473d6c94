"""Check: what is computed in the task's precision is finite."""

import torch

from trainables.hub import BREAKS_IN_FP16
from trainables.loss import summed_cross_entropy
from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.preflight.probe import Probe

REMEDY = "Set task.precision to bf16 or fp32"


def precision(probe: Probe) -> Finding:
    """Loss and gradients of one batch, before anything is trained."""
    base, tuning = probe.base, probe.tuning
    name = str(base.autocast_dtype or torch.float32).removeprefix("torch.")
    kind = base.model.config.model_type
    if base.autocast_dtype is torch.float16 and kind in BREAKS_IN_FP16:
        return Finding("fail", f"models of type {kind} overflow fp16: their loss becomes NaN. {REMEDY}.")
    loss = summed_cross_entropy(base, tuning.model.train(), probe.batch)
    if not loss.isfinite():
        return Finding("fail", f"the loss is {loss.item()} in {name}. {REMEDY}.")
    if not loss.requires_grad:
        return Finding("pass", f"the loss is finite in {name}", {"dtype": name})
    loss.backward()
    broken = [
        key for key, p in tuning.parameters.items() if p.grad is not None and not p.grad.isfinite().all()
    ]
    tuning.model.zero_grad(set_to_none=True)
    if broken:
        return Finding(
            "fail", f"gradients of {len(broken)} tensors, {broken[0]}, are not finite in {name}. {REMEDY}."
        )
    return Finding("pass", f"loss and gradients are finite in {name}", {"dtype": name})


CHECK = PreflightCheck(name="precision", order=20, ask=precision)
