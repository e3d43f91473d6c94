"""Real trials in Ray's workers, each on a shadow of a GPU, with planted faults."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import ray
from ray import cloudpickle

from search.cluster import nodes
from trainables.trainable import FineTune

cloudpickle.register_pickle_by_value(sys.modules[__name__])

FAULTS = "faults.json"
"""In the model's folder: a trial, or the checks of a method, to what befalls it."""
LOG = "begun.log"
GPU_BYTES = 24 * 2**30
WATTS = 100


def sees_gpus(real: Callable[[], Any] = nodes.observer) -> Callable[..., nodes.Facts]:
    """In place of what asks the nodes: they see the GPUs that Ray counts on, the smallest of GPU_BYTES."""
    observe_really = real()

    def observe(*arguments: Any) -> nodes.Facts:
        return {**observe_really(*arguments), "blind": None, "gpu_bytes": GPU_BYTES}

    return observe


def begun(model: Path) -> list[dict[str, Any]]:
    """Each time that a trial began, or checks were asked: in which process and with how much memory."""
    return [json.loads(line) for line in (model / LOG).read_text().splitlines()]


class OnShadow(FineTune):
    """The real trial and the real checks, in a process that has a shadow of a GPU."""

    @classmethod
    def checks(cls, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        device = _enter()
        _plant(Path(request["task"]["model"]), f"checks/{request['method']}", device)
        yield from super().checks(request)

    def _begin(self, config: dict[str, Any]) -> None:
        device = _enter()
        super()._begin(config)
        assignment = self.trial.assignment
        _plant(Path(assignment.task.model), assignment.trial, device)


def _enter() -> Any:
    """The shadow of this process, with an NVML that counts its energy."""
    import pynvml
    import torch

    from tests.shadow_cuda import ShadowCuda

    if not hasattr(torch, "shadow_of_this_worker"):
        for module in ("trainables.trial", "trainables.preflight.examine"):
            import_module(module)  # before torch says that there is a GPU
        pynvml.nvmlInit = lambda: None
        pynvml.nvmlDeviceGetHandleByUUID = lambda uuid: uuid
        pynvml.nvmlDeviceGetTotalEnergyConsumption = lambda handle: 1000 * WATTS * time.monotonic()
        torch.shadow_of_this_worker = ShadowCuda().__enter__()
    return torch.shadow_of_this_worker


def _plant(model: Path, name: str, device: Any) -> None:
    """Have the first loss of a trial fail as the faults of the model's folder say, else none."""
    import torch

    from tests.trainables.test_out_of_memory import real_loss
    from trainables import loop

    share = ray.get_runtime_context().get_assigned_resources()["GPU"]
    fraction = torch.cuda.get_per_process_memory_fraction(0)
    line = {"name": name, "pid": os.getpid(), "share": share, "fraction": fraction}
    with (model / LOG).open("a") as log:
        log.write(json.dumps(line) + "\n")
    fault, count = json.loads((model / FAULTS).read_text()).get(name, ("none", 0))
    left = [count if sum(line["name"] == name for line in begun(model)) == 1 else 0]

    def loss(*given: Any, **packing: Any) -> Any:
        if fault == "shares" and share < 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB.")
        if left[0] == 0 or fault == "shares":
            return real_loss(*given, **packing)
        left[0] -= 1
        if fault == "loses its context":
            device.lose_context("an illegal memory access was encountered")
            return real_loss(*given, **packing)
        raise RuntimeError(fault)

    loop.summed_cross_entropy = loss
