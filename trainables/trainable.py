"""The seam: the only file in which Ray meets the training core."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray
from ray import tune

from trainables.assignment import Assignment
from trainables.errors import DeviceFailed, GpuNotSeen
from trainables.preemption import check_notice, heeding_notice
from trainables.rung_report import RungReport

CONTEXT_BYTES = 600 * 2**20
"""What each process takes on a GPU before its first tensor: the CUDA context and its kernels."""


class FineTune(tune.Trainable):
    """A trial as a Ray Tune trainable: one `step` is one rung.

    The actor is reused: the imported libraries, the base model and the tokenised data serve the next
    trial too. Checkpoints are the trial's own (`Assignment.checkpoints`); Tune keeps none.
    """

    def setup(self, config: dict[str, Any], environment: Mapping[str, str] | None = None) -> None:
        self.equip(environment or {})
        _choose_gpus()

    @staticmethod
    def equip(environment: Mapping[str, str]) -> None:
        """Set the driver's environment variables that this process lacks, before a library reads them."""
        for name, value in environment.items():
            os.environ.setdefault(name, value)

    @classmethod
    def checks(cls, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Run the preflight checks of one method in this process; yield each `Check` of a `Request`.

        Raises:
            DeviceFailed: the device does not work any more in this process.
            GpuNotSeen: torch does not see the GPU that this process was given.
        """
        _choose_gpus()
        _take_own_gpu()
        from trainables.preflight.examine import answer
        from trainables.preflight.request import Request

        with _naming_a_broken_device():
            for check in answer(Request.model_validate(request)):
                yield check.model_dump()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.cleanup()
        return True

    def step(self) -> dict[str, Any]:
        with heeding_notice(), _naming_a_broken_device():
            check_notice()
            if "trial" not in vars(self):  # begun here: a step that fails is tried again, not a failed reset
                self._begin(self.config)
            return tune_result(self.trial.next_report())

    def cleanup(self) -> None:
        trial = vars(self).pop("trial", None)
        if trial is not None and _why_broken() is None:  # else it ends with the process
            trial.close()

    def _begin(self, config: dict[str, Any]) -> None:
        _take_own_gpu()
        # Imported here: the driver knows this class, but needs neither torch nor transformers.
        from trainables.trial import Trial

        self.trial = Trial(Assignment.model_validate(config["assignment"]))


def tune_result(report: RungReport) -> dict[str, Any]:
    """Wrap a report as a result of Tune.

    Tune flattens results for schedulers and searchers, and hands the report to all as the object that it is.
    """
    return {"report": report, "done": report.status.has_ended}


@contextmanager
def _naming_a_broken_device() -> Iterator[None]:
    """Raise DeviceFailed in place of any other outcome of the block, if the device no longer works."""
    try:
        yield
    except Exception as error:
        if why := _why_broken():
            raise DeviceFailed(why) from error
        raise
    if why := _why_broken():
        raise DeviceFailed(why)


def _why_broken() -> str | None:
    if "torch" not in sys.modules:
        return None
    from trainables.device import why_broken

    return why_broken()


def _choose_gpus() -> None:
    """Hide all GPUs from a worker that was given none, which Ray leaves visible; have torch use others well.

    Batches of many lengths leave gaps in fixed segments of memory; expandable ones grow
    (https://docs.pytorch.org/docs/stable/notes/cuda.html#optimizing-memory-usage-with-pytorch-alloc-conf).
    """
    if ray.get_gpu_ids():
        os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def _take_own_gpu() -> None:
    """Use the GPU that Ray has given this process, or the memory of its share of one.

    Raises:
        GpuNotSeen: torch does not see it; this process would train on the CPU, and be charged for a GPU.
    """
    if not ray.get_gpu_ids():
        return
    from trainables.device import limit_memory, why_blind

    context = ray.get_runtime_context()
    if why := why_blind():
        raise GpuNotSeen(f"{why} (node {context.get_node_id()})")
    share = context.get_assigned_resources()["GPU"]
    if share < 1:
        limit_memory(share, CONTEXT_BYTES)
