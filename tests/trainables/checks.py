"""The preflight checks as a worker asks them, and what they found."""

from typing import Any

import spaces
from trainables.preflight.examine import examine
from trainables.preflight.findings import Check, Findings
from trainables.preflight.request import Request
from trainables.workbench import Workbench


def ask(table: Workbench, method: str, **changes: Any) -> Findings:
    """The preflight checks of a method at its default, as a worker asks them."""
    return examine(table, request(table, method, **changes))


def request(table: Workbench, method: str, **changes: Any) -> Request:
    """What a worker is asked about a method."""
    space = spaces.get(method)
    usual = {
        "method": method,
        "hyperparameters": space.default,
        "costliest": spaces.costliest(space),
        "task": table.task,
        "data_seed": 0,
        "data_fingerprint": "",
        "cpus": 1,
        "memory_share": 0.5,
    }
    return Request.model_validate(usual | changes)


def check(findings: Findings, name: str) -> Check:
    return next(check for check in findings.checks if check.name == name)


def failed(findings: Findings) -> list[str]:
    return [check.name for check in findings.checks if check.verdict == "fail"]
