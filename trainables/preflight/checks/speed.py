"""How fast the method trains and is scored, from which the length of the whole sweep is estimated."""

from statistics import median

from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.preflight.probe import Probe


def speed(probe: Probe) -> Finding:
    """Measure the probe's steps and one evaluation, in examples/s; it cannot fail."""
    meter, scored = probe.tuning.meter, len(probe.sample.data.validation)
    before = meter.seconds["evaluation_seconds"]
    probe.tuning.evaluate("validation")
    evaluated = scored / (meter.seconds["evaluation_seconds"] - before)
    trained = len(probe.batch) / median(probe.step_seconds)
    figures = {
        "train_examples_per_second": trained,
        "evaluated_examples_per_second": evaluated,
        "trained_bytes": sum(p.numel() * p.element_size() for p in probe.tuning.parameters.values()),
    }
    return Finding("pass", f"trains {trained:.3g} and scores {evaluated:.3g} examples/s", figures)


CHECK = PreflightCheck(name="speed", order=80, ask=speed)
