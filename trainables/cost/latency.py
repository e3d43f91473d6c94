"""Time a trained model's generation, with its adapter beside the base and merged into it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

import torch
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer

from trainables.casts import cast_anew
from trainables.cost.meter import Figures
from trainables.inference.generate import greedy
from trainables.methods import Model
from trainables.model import LoadedModel
from trainables.out_of_memory import Shortage, attempt

EXAMPLES = 8
"""Number of sources to generate for, one at a time and all at once."""
BATCHES = 3
"""Repetitions of the batch."""
Pair = tuple[float | None, float | None]
"""Seconds an example, alone and in a batch."""
UNKNOWN: Pair = (None, None)


def latency(base: LoadedModel, model: Model, sources: Sequence[list[int]], *, cap: int) -> Figures:
    """Measure median seconds an example, alone and in a batch of `EXAMPLES`; None if memory ran out.

    Merged figures are None for what has no adapter, or one that cannot be merged into the base's weights.
    The weights are afterwards bit for bit as they were.
    """
    chosen = list(sources[:EXAMPLES])
    model.eval()

    def measure_merged() -> Pair:
        with merged(model) as is_merged:
            return _measured(base, model, chosen, cap) if is_merged else UNKNOWN

    plain = _measured(base, model, chosen, cap)
    found = attempt(measure_merged)
    fused = UNKNOWN if isinstance(found, Shortage) else found
    return {
        "generation_seconds_per_example": plain[0],
        "batched_generation_seconds_per_example": plain[1],
        "merged_generation_seconds_per_example": fused[0],
        "merged_batched_generation_seconds_per_example": fused[1],
    }


@contextmanager
def merged(model: Model) -> Iterator[bool]:
    """Merge the adapter into the base's weights within the block; yield whether that is possible.

    Subtracting it again would leave rounding errors, so the weights are saved, in the CPU's memory, and put
    back.
    """
    tuner = model.base_model if isinstance(model, PeftModel) else None
    if not isinstance(tuner, BaseTuner):
        yield False
        return
    layers = [module for module in tuner.model.modules() if isinstance(module, BaseTunerLayer)]
    parameters = [p for layer in layers for p in layer.get_base_layer().parameters()]
    weights = {p: p.detach().to("cpu", copy=True) for p in parameters}
    try:
        is_merged = _merges(tuner)
        cast_anew(model)
        yield is_merged
    finally:
        for layer in layers:
            if layer.merged:
                _unmerge(layer)
        with torch.no_grad():
            for parameter, weight in weights.items():
                parameter.copy_(weight)
        cast_anew(model)


def _merges(tuner: BaseTuner) -> bool:
    """Merge; return False where peft does not support it for these layers, or its arithmetic or memory fails.

    A trained final does not end because of it.
    """
    try:
        tuner.merge_adapter()
    except (ValueError, RuntimeError):
        return False
    return True


def _unmerge(layer: BaseTunerLayer) -> None:
    """Take an adapter out of its layer again, at least by name: the weights are put back in any case."""
    try:
        layer.unmerge()
    except RuntimeError:
        layer.merged_adapters.clear()


def _measured(base: LoadedModel, model: Model, sources: list[list[int]], cap: int) -> Pair:
    def work() -> tuple[float, float]:
        _seconds(base, model, sources[:1], cap)  # the first call prepares what later ones find prepared
        alone = median(_seconds(base, model, [source], cap) for source in sources)
        together = median(_seconds(base, model, sources, cap) for _ in range(BATCHES))
        return alone, together / len(sources)

    found = attempt(work)
    return UNKNOWN if isinstance(found, Shortage) else found


def _seconds(base: LoadedModel, model: Model, sources: list[list[int]], cap: int) -> float:
    """Time one generation. Its tokens are lists, so the device has finished when the clock is read."""
    start = time.perf_counter()
    greedy(base, model, sources, cap=cap)
    return time.perf_counter() - start
