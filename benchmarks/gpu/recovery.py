"""Out of memory, and what becomes of it; the same seed twice."""

from pathlib import Path
from typing import Any

import torch

from benchmarks.work import METHODS, Work, point
from trainables.cost.memory import release_memory
from trainables.device import set_deterministic
from trainables.inference.generate import greedy
from trainables.loop import FineTuning
from trainables.out_of_memory import attempt
from trainables.workbench import Workbench

EXAMPLES = 16
TOO_MANY_BYTES = 2**50
"""No device has so many."""


def from_out_of_memory(folder: Path, *, quick: bool) -> dict[str, Any]:
    """Ask for more than there is, then for more than a limit allows; train as before after each."""
    bench = Workbench(Work.read(folder / "flan-t5-small.json").task(), data_seed=0)
    device = bench.base.device
    before = _trained(bench, "full")["losses"]
    shortage = attempt(lambda: torch.empty(TOO_MANY_BYTES, dtype=torch.uint8, device=device))
    found: dict[str, Any] = {
        "found": str(shortage),
        "trains_on_with_equal_losses": _trained(bench, "full")["losses"] == before,
    }
    if device.type == "cuda":
        found["limited"] = _limited(bench, device)
        found["trains_on_after_the_limit_with_equal_losses"] = _trained(bench, "full")["losses"] == before
    else:
        found["limited"] = "not asked: torch has no limit of its own on a CPU"
    return found


def _limited(bench: Workbench, device: torch.device) -> dict[str, Any]:
    """Train under a limit that the tensors of a whole batch pass, with much room for half a batch."""
    whole, half = (_trained(bench, "full", micro_batch=size)["peak_bytes"] for size in (None, EXAMPLES // 4))
    limit = whole - (whole - half) // 4
    release_memory()
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(limit / total, device)
    try:
        trained = _trained(bench, "full")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    return {"limit_bytes": limit, "peak_bytes_of": {"whole batch": whole, "half a batch": half}, **trained}


def determinism(folder: Path, *, quick: bool, deterministic: bool) -> dict[str, Any]:
    """Train and generate twice with the same seed: are losses, weights and outputs the same bits?

    `deterministic` is the task's option of that name; it holds for the rest of this process.
    """
    set_deterministic(deterministic)
    bench = Workbench(Work.read(folder / "flan-t5-small.json").task(), data_seed=0)
    found = {}
    for method in METHODS:
        first, second = (_trained(bench, method, looks=True) for _ in range(2))
        found[method] = {
            "equal_losses": first["losses"] == second["losses"],
            "equal_outputs": first["outputs"] == second["outputs"],
            "largest_difference_of_weights": max(
                (a - b).abs().max().item() for a, b in zip(first["weights"], second["weights"], strict=True)
            ),
        }
    return found


def _trained(
    bench: Workbench, method: str, *, micro_batch: int | None = None, looks: bool = False
) -> dict[str, Any]:
    """Train on a few examples with seed 0; `looks` adds weights and outputs."""
    tuning = FineTuning(bench, method, point(method), examples=EXAMPLES, seed=0, micro_batch=micro_batch)
    try:
        found = {
            "losses": tuning.advance(EXAMPLES),
            "peak_bytes": tuning.meter.peak_memory_bytes,
            "micro_batches": str(tuning.micro_batches),
        }
        if looks:
            found["weights"] = [value.detach().cpu().clone() for value in tuning.parameters.values()]
            sources = [example.source for example in bench.encoded("validation")[:4]]
            found["outputs"] = greedy(bench.base, tuning.model.eval(), sources, cap=16)
    finally:
        tuning.close()
    return found
