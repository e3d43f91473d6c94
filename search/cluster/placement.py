"""Compute each trial's resources and how many trials fit on a cluster. Pure: numbers in, numbers out."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from search.config import Resources
from trainables.errors import InputError
from trainables.trainable import CONTEXT_BYTES

Machine = Mapping[str, float]
"""A node's resources as Ray counts them: `CPU`, `GPU`, `accelerator_type:L4`, ..."""
MARGIN = 0.25
"""Share by which a trial's peak may exceed the measured one: fragmentation, generation."""
MOST_ON_A_GPU = 8
"""Trials on one GPU at most; more would only take each other's compute time."""
ACCELERATOR_SHARE = 0.001
"""How much of a node's `accelerator_type:` resource Ray's own option of that name requests."""


@dataclass(frozen=True)
class Slots:
    """The resources of each trial, and how many trials run at a time."""

    cpus: int
    gpus: float
    concurrent: int
    accelerator: str | None = None
    """GPU type that the node must have; None: any."""

    @property
    def share_gpus(self) -> bool:
        """Whether several trials are on one GPU."""
        return 0 < self.gpus < 1

    @property
    def bundle(self) -> dict[str, float]:
        """The resources that a trial requests from Ray."""
        wanted = {"CPU": float(self.cpus), "GPU": self.gpus}
        if self.accelerator:
            wanted[_mark(self.accelerator)] = ACCELERATOR_SHARE
        return {name: amount for name, amount in wanted.items() if amount}


def asked_for(resources: Resources) -> dict[str, float]:
    """Compute a trial's request to Ray from the sweep file alone."""
    gpus = resources.gpus_per_trial
    return Slots(
        resources.cpus_per_trial, 0 if gpus == "auto" else gpus, 0, resources.accelerator_type
    ).bundle


def slots_on(machines: Iterable[Machine], resources: Resources) -> Slots:
    """Compute the slots that these machines offer; no trial spreads over two of them.

    Raises:
        InputError: a trial asks for more than any of them has.
    """
    suitable = _suitable(list(machines), resources.accelerator_type)
    cpus = max((int(machine.get("CPU", 0)) for machine in suitable), default=0)
    gpus = max((machine.get("GPU", 0.0) for machine in suitable), default=0.0)
    wanted = resources.gpus_per_trial
    if wanted == "auto":
        wanted = 1.0 if gpus else 0.0
    if wanted > gpus:
        raise InputError(
            f"resources.gpus_per_trial: a trial asks for {wanted:g} GPUs, but there are {gpus:g} here. "
            "Use auto or 0 to train on the CPU, or --address to use a cluster."
        )
    if resources.cpus_per_trial > cpus:
        raise InputError(
            f"resources.cpus_per_trial: a trial asks for {resources.cpus_per_trial} CPUs, there are {cpus}."
        )
    slots = _counted(
        Slots(resources.cpus_per_trial, wanted, 0, resources.accelerator_type), suitable, resources
    )
    if not slots.concurrent:
        raise InputError("resources: no machine here has both the CPUs and the GPUs that a trial asks for.")
    return slots


def capacity(machines: Iterable[Machine], slots: Slots) -> int:
    """Count the trials that fit on the machines side by side."""
    return sum(_trials_on(machine, slots) for machine in machines)


def packed(
    slots: Slots,
    machines: Iterable[Machine],
    resources: Resources,
    figures: Iterable[Mapping[str, int]],
    gpu_bytes: int | None = None,
) -> Slots:
    """With `gpus_per_trial: auto`, put as many trials on a GPU as memory and its share of the CPUs allow.

    Args:
        slots: one GPU a trial, as in the preflight checks.
        machines: those that trials may run on.
        resources: of the sweep file.
        figures: of each method's memory check: `peak_bytes` of a trial, `room_bytes` available to it, on a
            GPU of `gpu_bytes`.
        gpu_bytes: memory of the smallest GPU now; None if that is unknown.
    """
    known = [figure for figure in figures if "peak_bytes" in figure]
    suitable = [machine for machine in machines if capacity([machine], slots)]
    if resources.gpus_per_trial != "auto" or slots.gpus != 1 or not known or not suitable:
        return slots
    by_cpus = min(int(machine["CPU"] / machine["GPU"] / slots.cpus) for machine in suitable)
    by_memory = min(fitting(figure["peak_bytes"], _room(figure, gpu_bytes)) for figure in known)
    on_one = max(1, min(by_cpus, by_memory, MOST_ON_A_GPU))
    share = math.floor(10_000 / on_one) / 10_000  # Ray counts in ten-thousandths
    return _counted(replace(slots, gpus=share), suitable, resources)


def _room(figure: Mapping[str, int], gpu_bytes: int | None) -> int:
    """Compute the bytes for a trial on the smallest GPU, which an earlier start may have lacked."""
    checked = figure.get("gpu_bytes")
    less = 0 if checked is None or gpu_bytes is None else max(0, checked - gpu_bytes)
    return figure["room_bytes"] - less


def unpacked(slots: Slots, machines: Iterable[Machine], resources: Resources) -> Slots:
    """Return slots with a whole GPU for each trial, where each had a share of one."""
    return _counted(replace(slots, gpus=1.0), list(machines), resources) if slots.share_gpus else slots


def fitting(peak_bytes: int, room_bytes: int) -> int:
    """Count the trials of such a peak that fit on one GPU, with the margin; at least one.

    `room_bytes` is available to the first trial, its CUDA context already subtracted.
    """
    wanted = peak_bytes * (1 + MARGIN) + CONTEXT_BYTES
    return max(1, int((room_bytes + CONTEXT_BYTES) / wanted))


def _counted(slots: Slots, machines: list[Machine], resources: Resources) -> Slots:
    most, wanted = capacity(machines, slots), resources.concurrent_trials
    return replace(slots, concurrent=most if wanted == "auto" else min(wanted, most))


def _suitable(machines: list[Machine], accelerator: str | None) -> list[Machine]:
    if accelerator is None:
        return machines
    found = [machine for machine in machines if _mark(accelerator) in machine]
    if not found:
        names = sorted(
            {name.partition(":")[2] for machine in machines for name in machine if _mark("") in name}
        )
        raise InputError(
            f"resources.accelerator_type: no machine here has a GPU of type {accelerator}. "
            f"Types here: {', '.join(names) or 'none'}."
        )
    return found


def _mark(accelerator: str) -> str:
    return f"accelerator_type:{accelerator}"


def _trials_on(machine: Machine, slots: Slots) -> int:
    if slots.accelerator and _mark(slots.accelerator) not in machine:
        return 0
    by_cpus = int(machine.get("CPU", 0)) // slots.cpus
    if not slots.gpus:
        return by_cpus
    # A part of a GPU lies on one GPU: three tenths fit three times on each.
    return min(by_cpus, int(machine.get("GPU", 0.0)) * int(1 / slots.gpus))
