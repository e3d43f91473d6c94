"""What the first workers of a Ray that is started here import while the driver is still getting ready."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ray._private.accelerators import get_accelerator_manager_for_resource
from ray._private.utils import get_num_cpus
from ray.tune.execution import class_cache

from search.config import Resources
from trainables.trainable import FineTune

MODULES = ("trainables.trial", "trainables.preflight.examine", "evaluate", "rouge_score.rouge_scorer")
"""All that trains and scores: some six seconds, and 300 MiB of a worker's own memory."""

TUNES_OWN = dict(class_cache.DEFAULT_ENV_VARS)
"""The environment that Tune wants for its workers."""


def preloaded(resources: Resources, trainable: type[FineTune]) -> dict[str, str]:
    """The environment in which Ray's workers import what trains before they are asked to.

    Empty where that would be waste: `trainable` is one of another kind, or fewer than half of the workers,
    of which Ray starts one a CPU, would have a trial at a time. The preflight checks take as many again.
    """
    cpus = get_num_cpus()
    wanted = resources.concurrent_trials
    trials = cpus // resources.cpus_per_trial
    if wanted != "auto":
        trials = min(trials, wanted)
    if trainable is not FineTune or 2 * trials < cpus or _has_gpu():
        return {}
    # Libraries count their threads when they are imported; Ray sets this for a trial only when it begins.
    threads = os.environ.get("OMP_NUM_THREADS", str(resources.cpus_per_trial))
    return {**TUNES_OWN, "RAY_preload_python_modules": ",".join(MODULES), "OMP_NUM_THREADS": threads}


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """For the length of the block, for the processes that are started in it; Tune need not ask for it again.

    For what it asks for beyond the environment that workers have, Ray starts other workers.
    """
    for name in values:
        class_cache.DEFAULT_ENV_VARS.pop(name, None)
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _has_gpu() -> bool:
    manager = get_accelerator_manager_for_resource("GPU")
    return manager is not None and manager.get_current_node_num_accelerators() > 0
