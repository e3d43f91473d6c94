"""All checks of one method, in the order in which one failure would explain the next."""

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from trainables.errors import InputError
from trainables.model import LoadedModel
from trainables.preflight.findings import Check, Finding, Findings
from trainables.preflight.gradients import gradients
from trainables.preflight.learns import learns
from trainables.preflight.lengths import lengths
from trainables.preflight.memory import memory
from trainables.preflight.output import output
from trainables.preflight.packing import packing
from trainables.preflight.precision import precision
from trainables.preflight.probe import Probe
from trainables.preflight.reload import reload
from trainables.preflight.request import Request
from trainables.preflight.restore import restore
from trainables.preflight.speed import speed
from trainables.preflight.targets import targets
from trainables.workbench import Workbench, workbench

CHAIN: dict[str, Callable[[Probe], Finding]] = {
    "targets": targets,
    "precision": precision,
    "packing": packing,
    "gradients": gradients,
    "learns": learns,
    "changes output": output,
    "reload": reload,
    "speed": speed,
}
"""Each stands on the ones before it: after a failure the rest is not asked."""


def answer(request: Request) -> Findings:
    """Ask every check about a method, on this process's own workbench and with a trial's threads.

    Raises:
        InputError: the data that this process loads is not the data that the driver saw.
    """
    torch.set_num_threads(request.cpus)
    task = request.task.model_dump_json()
    bench = workbench(task, request.data_seed, request.data_fingerprint, request.tokens)
    return examine(bench, request)


def examine(bench: Workbench, request: Request) -> Findings:
    """Ask every check about one method; the workbench is as before when it returns, or made anew."""
    probe = Probe(bench, request.method, request.hyperparameters)
    checks = list(_chain(probe))
    checks.append(_asked("restore", partial(restore, probe)))
    if _failed(checks[-1:]):
        bench.base = LoadedModel(bench.task)
    checks.append(_asked("lengths", partial(lengths, bench)))
    if not _failed(checks):
        ask = partial(memory, bench, request.method, request.costliest, request.memory_share)
        checks.append(_asked("memory", ask))
    return Findings(checks=checks)


def _chain(probe: Probe) -> Iterator[Check]:
    for name, check in CHAIN.items():
        if check is packing and not probe.base.task.packing:
            continue
        asked = _asked(name, partial(check, probe))
        yield asked
        if asked.verdict == "fail":
            return


def _failed(checks: list[Check]) -> bool:
    return any(check.verdict == "fail" for check in checks)


def _asked(name: str, check: Callable[[], Finding]) -> Check:
    """A preflight check's answer; what a method raises is an answer too."""
    start = time.perf_counter()
    try:
        finding = check()
    except InputError as error:
        finding = Finding("fail", str(error))
    except Exception as error:  # noqa: BLE001 (a method is foreign code: whatever it does wrong is the finding)
        finding = Finding("fail", f"{type(error).__name__}: {' '.join(str(error).split())}")
    figures = {key: _finite(figure) for key, figure in finding.figures.items()}
    seconds = round(time.perf_counter() - start, 3)
    return Check(
        name=name, verdict=finding.verdict, message=finding.message, figures=figures, seconds=seconds
    )


def _finite(figure: Any) -> Any:
    """JSON knows no NaN: a figure that is not finite is recorded as unknown."""
    return None if isinstance(figure, float) and not math.isfinite(figure) else figure
