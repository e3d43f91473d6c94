"""Check: examples that are packed into one row do not see each other."""

import torch

from trainables.loss import summed_cross_entropy
from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.preflight.paths import NOISE_NATS
from trainables.preflight.probe import Probe


@torch.no_grad()
def packing(probe: Probe) -> Finding:
    """Compare the loss of one batch in a single row with that in a row for each example."""
    model, target_tokens = probe.tuning.model.eval(), sum(len(e.target) for e in probe.batch)
    whole = sum(example.length for example in probe.batch)
    apart, packed = (
        summed_cross_entropy(probe.base, model, probe.batch, capacity=capacity).item() / target_tokens
        for capacity in (None, whole)
    )
    difference = abs(packed - apart)
    figures = {"unpacked_loss": apart, "packed_loss": packed, "packing_apart_nats": difference}
    if difference > NOISE_NATS[probe.base.autocast_dtype]:
        kind = type(probe.base.model).__name__
        problem = f"packed into one row, {kind} reads examples otherwise, by {difference:.2g} nats a token"
        return Finding("fail", f"{problem}: they see each other. Set task.packing to false.", figures)
    return Finding(
        "pass", f"{len(probe.batch)} examples in one row have the loss that they have apart", figures
    )


CHECK = PreflightCheck(name="packing", order=30, ask=packing, applies=lambda task: task.packing)
