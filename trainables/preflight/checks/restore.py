"""Check: the method leaves no trace in the base model, which serves the next trial."""

from trainables.model import LoadedModel
from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.preflight.paths import equal
from trainables.preflight.probe import Probe
from trainables.preflight.snapshot import snapshot

SHOWN = 3
REMEDY = "The next trial would inherit it: `attach` must not change what `Base.restore` cannot undo."


def restore(probe: Probe) -> Finding:
    """Take the method off; weights, modules, hooks, settings and answers must be those of before."""
    try:
        probe.close()
    except (AssertionError, AttributeError, KeyError, RuntimeError) as error:
        told = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Finding("fail", f"it cannot be taken off ({told}). {REMEDY}")
    changed = snapshot(probe.base.model).changed_since(probe.untouched)
    figures = {"tensors": len(probe.untouched.weights), "changed": len(changed)}
    if changed:
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        return Finding("fail", f"left changed: {', '.join(changed[:SHOWN])}{more}. {REMEDY}", figures)
    if not all(map(equal, probe.untrained, probe.answers())):
        return Finding(
            "fail", f"the model predicts otherwise than before, at equal weights. {REMEDY}", figures
        )
    return Finding("pass", f"all {len(probe.untouched.weights)} tensors bit for bit as before", figures)


def _renew(probe: Probe) -> None:
    """The next method must meet a sound base."""
    probe.bench.base = LoadedModel(probe.bench.task)


CHECK = PreflightCheck(name="restore", order=90, ask=restore, always=True, on_failure=_renew)
