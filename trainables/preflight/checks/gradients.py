"""Check: all that is trained is reached by the loss, and nothing else is touched."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn

from trainables.model import checksum
from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.preflight.probe import Probe

FIRST_STEPS = 4
"""An adapter that begins at zero, as LoRA's second matrix does, lets the first matrix learn from step 2."""
PROMPT = "prompt_encoder."


def gradients(probe: Probe) -> Finding:
    """Train `FIRST_STEPS` steps and record which parameters receive gradients."""
    model, parameters = probe.tuning.model, probe.tuning.parameters
    if frozen := _frozen_adapter(model):
        return Finding("fail", f"{_some(frozen)} of the adapter cannot learn: set requires_grad in `attach`.")
    if not parameters:
        return Finding("fail", "nothing is trained: `attach` must set requires_grad where it shall be.")
    before = checksum(probe.base.model)
    with watched(parameters) as reached:
        probe.train(FIRST_STEPS)
    after = checksum(probe.base.model)
    touched = [
        name for name, p in _frozen_base(probe).items() if p.grad is not None or before[name] != after[name]
    ]
    if touched:
        return Finding("fail", f"{_some(touched)} of the frozen model moved: `attach` must leave them alone.")
    return _judged(reached, is_adapter=isinstance(model, PeftModel))


CHECK = PreflightCheck(name="gradients", order=40, ask=gradients)


def _judged(reached: Mapping[str, Tensor], *, is_adapter: bool) -> Finding:
    dead = [name for name, places in reached.items() if not places.any()]
    prompts = [places for name, places in reached.items() if name not in dead and len(places) > 1]
    rows, dead_rows = sum(map(len, prompts)), sum(int((~places).sum()) for places in prompts)
    figures = {"trained_tensors": len(reached), "dead_tensors": len(dead), "dead_prompt_rows": dead_rows}
    if dead:
        fails = is_adapter or len(dead) == len(reached)
        advice = "leave them out of what is trained, or let the forward pass use them."
        return Finding("fail" if fails else "warn", f"{_some(dead)} never get a gradient: {advice}", figures)
    if dead_rows:
        advice = "prompt tuning of an encoder-decoder needs num_transformer_submodules=1."
        return Finding("fail", f"{dead_rows} of {rows} soft tokens never get a gradient: {advice}", figures)
    return Finding(
        "pass", f"all {len(reached)} trained tensors get a gradient, nothing frozen moves", figures
    )


@contextmanager
def watched(parameters: Mapping[str, nn.Parameter]) -> Iterator[dict[str, Tensor]]:
    """Record where gradients are not zero: `(soft tokens,)` for a soft prompt, `(1,)` for any other.

    Those that overflow do not count: they may come of zero times infinity.
    """
    reached = {
        name: torch.zeros(len(p) if _is_soft_prompt(name) else 1, dtype=torch.bool, device=p.device)
        for name, p in parameters.items()
    }

    def watch(name: str, parameter: nn.Parameter) -> torch.utils.hooks.RemovableHandle:
        def note(gradient: Tensor) -> None:
            counts = (gradient != 0) & gradient.isfinite()
            reached[name] |= counts.reshape(len(reached[name]), -1).any(dim=1)

        return parameter.register_hook(note)

    handles = [watch(name, parameter) for name, parameter in parameters.items()]
    try:
        yield reached
    finally:
        for handle in handles:
            handle.remove()


def _is_soft_prompt(name: str) -> bool:
    return name.startswith(PROMPT) and name.endswith("embedding.weight")


def _frozen_adapter(model: nn.Module) -> list[str]:
    """Name the adapter's parameters, as peft knows them, that are not trained."""
    if not isinstance(model, PeftModel):
        return []
    tuner: Any = model.base_model
    own = PROMPT if model.active_peft_config.is_prompt_learning else tuner.prefix
    return [name for name, p in model.named_parameters() if own in name and not p.requires_grad]


def _frozen_base(probe: Probe) -> dict[str, nn.Parameter]:
    """Return the pretrained model's parameters, by their current names, that are not trained."""
    return {
        name: p
        for name, p in probe.base.model.named_parameters()
        if id(p) in probe.pretrained and not p.requires_grad
    }


def _some(names: list[str]) -> str:
    """Write the first of the names, and how many more there are."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more tensors"
