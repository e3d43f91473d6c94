"""Check: a training step fits the device, if need be in micro-batches."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trainables.amounts import size
from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.preflight.memory_profile import MemoryProfile
from trainables.preflight.probe import Probe
from trainables.preflight.room import counted_on, room_bytes
from trainables.workbench import Workbench


def memory(
    bench: Workbench,
    method: str,
    costliest: Mapping[str, Any],
    share: float,
    gpu_bytes: int | None = None,
) -> Finding:
    """Compare the peak memory of a step, on the longest examples at the largest batch, with what is free.

    Activations grow in proportion to the examples of a forward pass, so peaks at small batches predict
    that of a large one: the batch is doubled while a step is short and fits, and what is left is
    extrapolated. Where the whole batch does not fit it is halved into micro-batches until one does.
    """
    device = bench.base.device
    finding = judged(MemoryProfile(bench, method, costliest, room_bytes(device, share, gpu_bytes)))
    if device.type != "cuda":
        return finding
    return replace(finding, figures={**finding.figures, "gpu_bytes": counted_on(device, gpu_bytes)})


def _asked(probe: Probe) -> Finding:
    request = probe.request
    return memory(probe.bench, request.method, request.costliest, request.memory_share, request.gpu_bytes)


CHECK = PreflightCheck(name="memory", order=110, ask=_asked)


def judged(profile: MemoryProfile) -> Finding:
    """Find the largest micro-batch that fits."""
    if not profile.peaks:
        told = f"torch does not tell how much memory a step on {profile.top} examples takes on this device"
        advice = "If trials run out of it set task.micro_batch_size."
        return Finding("warn", f"{told}. {advice}", {"trained_bytes": profile.trained_bytes})
    micro_batch = profile.top
    while profile.predicted(micro_batch) > profile.room and micro_batch > 1:
        micro_batch = math.ceil(micro_batch / 2)
    figures = {
        "peak_bytes": profile.predicted(micro_batch),
        "whole_batch_peak_bytes": profile.predicted(profile.top),
        "room_bytes": profile.room,
        "micro_batch": micro_batch if micro_batch < profile.top else None,
        "trained_bytes": profile.trained_bytes,
    }
    told = (
        f"a step on {profile.top} examples of {profile.tokens} tokens takes "
        f"{size(profile.predicted(profile.top))}, {size(max(0, profile.room))} are free"
    )
    if profile.predicted(micro_batch) > profile.room:
        least = f"on one example it takes {size(profile.predicted(1))}"
        advice = "Lower task.max_source_tokens or resources.concurrent_trials, or take a larger device."
        if not profile.checkpointing:
            advice = f"Set task.gradient_checkpointing to true. {advice}"
        return Finding("fail", f"{told}; {least}. {advice}", figures)
    if micro_batch < profile.top:
        return Finding("pass", f"{told}: taken in micro-batches of {micro_batch}", figures)
    return Finding("pass", told, figures)
