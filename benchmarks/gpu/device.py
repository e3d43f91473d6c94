"""The device under test: what the doctor and torch say of it, and how fast it multiplies matrices."""

import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.shapes import prepare
from trainables.device import driver, own_device
from trainables.device_report import report

SECONDS = 0.5
"""Of multiplying, after a warm-up."""


def doctor(folder: Path, *, quick: bool) -> dict[str, Any]:
    """What `tuneoff doctor` finds."""
    from search.doctor import examine_machine  # with Ray, which no other part needs

    return {"findings": [finding.model_dump() for finding in examine_machine()]}


def preparation(folder: Path, *, quick: bool) -> dict[str, Any]:
    """Make the models that the other parts read, and describe the device."""
    works = prepare(folder, quick=quick)
    device = own_device()
    return {
        "device": report().model_dump(),
        "driver": driver(),
        "precision": {name: work.precision for name, work in works.items()},
        "matrix products, FLOP/s": {
            name: flops_per_second(device, dtype, quick=quick)
            for name, dtype in {"fp32": torch.float32, "bf16": torch.bfloat16}.items()
        },
    }


def flops_per_second(device: torch.device, dtype: torch.dtype, *, quick: bool) -> float:
    """Measure what the device reaches on large square matrices: the peak that training is held against."""
    size, end_after = (256, SECONDS / 10) if quick else (8192, SECONDS)
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    for _ in range(3):
        left @ right
    wait(device)
    began, products = time.perf_counter(), 0
    while time.perf_counter() - began < end_after:
        left @ right
        products += 1
        if products % 10 == 0:
            wait(device)  # else thousands would be waiting when the time is up
    wait(device)
    return 2 * size**3 * products / (time.perf_counter() - began)


def wait(device: torch.device) -> None:
    """Wait until the device has done all that it was given."""
    if device.type != "cpu":
        torch.get_device_module(device).synchronize()
