"""Check: every module that a method asks for is there."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from peft import PeftModel
from torch import nn

from trainables.methods import Model
from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.preflight.probe import Probe


def targets(probe: Probe) -> Finding:
    """Attach the method, and count what each of its target names matched."""
    probe.attach()
    model = probe.tuning.model
    if not isinstance(model, PeftModel):
        return Finding("pass", f"trains {len(probe.tuning.parameters)} tensors of the model itself")
    if model.active_peft_config.is_prompt_learning:
        rows = model.active_peft_config.num_virtual_tokens
        return Finding("pass", f"{rows} soft tokens before the input", {"virtual_tokens": rows})
    tuner: Any = model.base_model
    found: list[str] = [*tuner.targeted_module_names, *tuner.targeted_parameter_names]
    missed = [name for name in _wanted(model) if not any(_matches(module, name) for module in found)]
    counts = dict(Counter(name.rpartition(".")[2] for name in found))
    listed = ", ".join(f"{count} {name}" for name, count in counts.items())
    if missed:
        present = ", ".join(dict.fromkeys(_linear_names(model.get_base_model())))
        return Finding(
            "fail",
            f"no module matches {', '.join(missed)} (matched: {listed}). Name targets out of {present}.",
            counts,
        )
    return Finding("pass", f"adapts {listed}", counts)


CHECK = PreflightCheck(name="targets", order=10, ask=targets)


def _wanted(model: Model) -> list[str]:
    """Return the requested names; none for a regular expression or a word such as all-linear."""
    config = model.active_peft_config
    names: list[str] = []
    for field in ("target_modules", "feedforward_modules", "target_parameters"):
        asked = getattr(config, field, None)
        names += [] if isinstance(asked, str) or asked is None else sorted(asked)
    return names


def _matches(module: str, name: str) -> bool:
    return module == name or module.endswith(f".{name}")


def _linear_names(model: Model) -> Iterable[str]:
    """Yield the last part of each linear layer's name, adapted ones under their own names."""
    for name, part in model.named_modules():
        if isinstance(part, nn.Linear):
            yield name.removesuffix(".base_layer").rpartition(".")[2]
