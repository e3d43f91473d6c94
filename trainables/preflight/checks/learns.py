"""Check: the method can learn one batch."""

from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.checks.gradients import FIRST_STEPS
from trainables.preflight.findings import Finding
from trainables.preflight.probe import STEPS, Probe

CLEAR_FALL = 0.01
"""A loss that falls by this share is no accident; training ends there."""


def learns(probe: Probe) -> Finding:
    """Go on with the same batch until its loss has fallen, at most `STEPS` steps."""
    loss = probe.loss()
    while len(probe.step_seconds) < STEPS and not loss < probe.loss_before * (1 - CLEAR_FALL):
        probe.train(FIRST_STEPS)
        loss = probe.loss()
    steps = len(probe.step_seconds)
    told = f"loss {probe.loss_before:.3f} to {loss:.3f} in {steps} steps on one batch"
    figures = {"loss_before": probe.loss_before, "loss_after": loss, "steps": steps}
    if not loss < probe.loss_before:
        rate = probe.hyperparameters["learning_rate"]
        return Finding("fail", f"{told}: it does not fall. Try another learning rate than {rate:g}.", figures)
    if not loss < probe.loss_before * (1 - CLEAR_FALL):
        return Finding("warn", f"{told}: it hardly falls. The learning rate may be too low.", figures)
    return Finding("pass", told, figures)


CHECK = PreflightCheck(name="learns", order=50, ask=learns)
