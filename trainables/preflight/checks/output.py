"""Check: what was trained is used, in training and in generation alike."""

from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.preflight.paths import NOISE_NATS, agree, distance, in_fp32
from trainables.preflight.probe import Probe

UNUSED = 0.01
"""A path in which the method does less than this share of what it does in training does not use it."""


def output(probe: Probe) -> Finding:
    """Compare the targets' log-probabilities with the untrained model's, and training with generation."""
    trained, generated = probe.answers()
    in_training = distance(trained, probe.untrained[0], probe.answered)
    in_generation = distance(generated, probe.untrained[1], probe.answered)
    between = distance(trained, generated, probe.answered)
    noise = NOISE_NATS[probe.base.autocast_dtype]
    figures = {
        "training_path_change_nats": in_training,
        "generate_path_change_nats": in_generation,
        "between_paths_nats": between,
    }
    if not in_training > 0:
        problem = (
            "the trained model predicts what the untrained one does. Let the forward pass use what is added."
        )
        return Finding("fail", problem, figures)
    told = f"training changes a token by {in_training:.2g} nats, generation by {in_generation:.2g}"
    if in_generation < UNUSED * in_training:
        problem = (
            f"generate() does not use what was trained: {told}. Its scores would be the untrained model's."
        )
        return Finding("fail", problem, figures)
    if between > noise and not _agree_in_fp32(probe):
        problem = f"generation reads the model otherwise than training does: {between:.2g} nats a token apart"
        return Finding("fail", f"{problem} ({noise:g} is rounding). Look at positions and masks.", figures)
    return Finding("pass", f"{told}; the two agree", figures)


def _agree_in_fp32(probe: Probe) -> bool:
    training, generation = (in_fp32(probe.base, path) for path in probe.paths())
    return agree(training, generation, probe.answered)


CHECK = PreflightCheck(name="changes output", order=60, ask=output)
