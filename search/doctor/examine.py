"""All checks of one machine, and of every node of a cluster."""

import os
from pathlib import Path

from ray.exceptions import RayError

from search.cluster import ask_each, connected, version_differences
from search.doctor import machine, services
from search.doctor.accelerator import HIDING, check_accelerator
from search.doctor.finding import Finding, failed, passed, warned
from search.doctor.packages import Declared, check_packages, declared

SETUP = "Install tuneoff at the versions of constraints.txt on every node, or in its image."


def examine_machine() -> list[Finding]:
    """Examine this machine, as a sweep that starts here would use it; Ray is started and ended."""
    started = services.start_ray()
    places = {"run folders": Path.cwd(), **machine.worker_places()}
    return [
        *_examine(started.resources.get("GPU", 0.0), declared(), places),
        services.check_ray(started),
    ]


def examine_nodes(address: str) -> dict[str, list[Finding]]:
    """Examine every node of a running cluster that has CPUs for trials, by its name.

    Raises:
        InputError: no cluster answers at `address`, or a node answers nothing at all.
    """
    with connected(address):
        answers = ask_each(_examine_node, declared())
        differences = version_differences()
    found = {node: _answered(answer) for node, answer in answers.items()}
    for node, findings in found.items():
        findings.append(_versions([line for line in differences if node in line]))
    return found


def _examine(counted: float, wanted: Declared, places: dict[str, Path]) -> list[Finding]:
    """Examine what this process sees, where Ray counts so many GPUs."""
    return [
        *check_packages(wanted),
        *check_accelerator(counted),
        machine.check_memory(),
        machine.check_shared_memory(),
        machine.check_descriptors(),
        *machine.check_disks(places),
        services.check_hub(),
    ]


def _examine_node(counted: float, wanted: Declared) -> list[Finding]:
    """The same in a worker of Ray, which hides GPUs from a task that did not ask for one."""
    for name in HIDING:
        os.environ.pop(name, None)
    return _examine(counted, wanted, machine.worker_places())


def _answered(answer: list[Finding] | RayError) -> list[Finding]:
    if isinstance(answer, RayError):
        last = str(answer).strip().splitlines()[-1]
        return [failed("node", f"cannot be examined: {last}", SETUP)]
    return [*answer, passed("node", "answers")]


def _versions(differences: list[str]) -> Finding:
    if differences:
        return warned("versions", "; ".join(differences), SETUP)
    return passed("versions", "those of this machine")
