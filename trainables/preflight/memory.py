"""Gate: a training step fits the device, if need be in portions."""

import math
from collections.abc import Mapping
from typing import Any

from trainables.preflight.findings import Finding
from trainables.preflight.room import room_bytes
from trainables.preflight.stairs import Stairs
from trainables.workbench import Workbench

GIB = 2**30


def memory(bench: Workbench, method: str, costliest: Mapping[str, Any], share: float) -> Finding:
    """The peak of a step on the longest examples at the largest batch, against the room that a trial has.

    Activations grow in proportion to the examples of a forward pass, so peaks at small batches predict
    that of a large one: the batch is doubled while a step is short and fits, and what is left is
    extrapolated. Where the whole batch does not fit it is halved into portions until one does.
    """
    stairs = Stairs(bench, method, costliest, room_bytes(bench.base.device, share))
    return judged(stairs)


def judged(stairs: Stairs) -> Finding:
    """The largest portion of the batch that fits, and the numbers."""
    portion = stairs.top
    while stairs.predicted(portion) > stairs.room and portion > 1:
        portion = math.ceil(portion / 2)
    figures = {
        "peak_bytes": stairs.predicted(portion),
        "whole_batch_peak_bytes": stairs.predicted(stairs.top),
        "room_bytes": stairs.room,
        "micro_batch": portion if portion < stairs.top else None,
        "trained_bytes": stairs.trained_bytes,
    }
    told = (
        f"a step on {stairs.top} examples of {stairs.tokens} tokens takes "
        f"{stairs.predicted(stairs.top) / GIB:.2f} GiB, {max(0, stairs.room) / GIB:.2f} are free"
    )
    if stairs.predicted(portion) > stairs.room:
        least = f"on one example it takes {stairs.predicted(1) / GIB:.2f} GiB"
        advice = "Lower task.max_source_tokens or resources.concurrent_trials, or take a larger device."
        if not stairs.checkpointing:
            advice = f"Set task.gradient_checkpointing to true. {advice}"
        return Finding("fail", f"{told}; {least}. {advice}", figures)
    if portion < stairs.top:
        return Finding("pass", f"{told}: taken in portions of {portion}", figures)
    return Finding("pass", told, figures)
