"""Run all preflight checks of one method, in the order in which one failure explains the next."""

import math
import time
from collections.abc import Iterator
from typing import Any

import torch

from trainables.device import lacks_determinism, set_deterministic
from trainables.errors import InputError
from trainables.preflight.checks import PreflightCheck, available
from trainables.preflight.findings import Check, Finding, Findings
from trainables.preflight.probe import Probe
from trainables.preflight.request import Request
from trainables.workbench import Workbench, workbench


def answer(request: Request) -> Iterator[Check]:
    """Ask every check about a method, on this process's own workbench and with a trial's threads.

    Yields each one's outcome as it is known.

    Raises:
        InputError: the data that this process loads is not the data that the driver saw.
    """
    torch.set_num_threads(request.cpus)
    set_deterministic(request.task.deterministic)
    task = request.task.model_dump_json()
    bench = workbench(task, request.data_seed, request.data_fingerprint, request.tokens)
    yield from _examined(bench, request)


def examine(bench: Workbench, request: Request) -> Findings:
    """Ask every check about one method; the workbench is as before when it returns, or made anew."""
    return Findings(checks=list(_examined(bench, request)))


def _examined(bench: Workbench, request: Request) -> Iterator[Check]:
    probe = Probe(bench, request)
    has_failed = False
    for declared in available():
        if (has_failed and not declared.always) or not declared.applies(bench.task):
            continue
        check = _asked(declared, probe)
        if check.verdict == "fail":
            has_failed = True
            declared.on_failure(probe)
        yield check


def _asked(declared: PreflightCheck, probe: Probe) -> Check:
    """Ask one check; an exception that the method raises is a finding too."""
    start = time.perf_counter()
    try:
        finding = declared.ask(probe)
    except InputError as error:
        finding = Finding("fail", str(error))
    except Exception as error:  # noqa: BLE001 (a method is foreign code: whatever it does wrong is the finding)
        finding = Finding("fail", _told(error))
    figures = {key: _finite(figure) for key, figure in finding.figures.items()}
    seconds = round(time.perf_counter() - start, 3)
    return Check(
        name=declared.name,
        verdict=finding.verdict,
        message=finding.message,
        figures=figures,
        seconds=seconds,
    )


def _told(error: Exception) -> str:
    if operation := lacks_determinism(error):
        return (
            f"{operation} does not have a deterministic implementation on this device. "
            "Set task.deterministic to false, or leave the method out."
        )
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _finite(figure: Any) -> Any:
    """Replace a figure that is not finite by None, for JSON has no NaN."""
    return None if isinstance(figure, float) and not math.isfinite(figure) else figure
