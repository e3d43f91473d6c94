"""Every name of Ray that is not public, pinned to Ray 2.60 by `tests/test_compat.py`."""

import json
import os
from typing import Any

import ray
from ray._common.utils import get_system_memory
from ray._private import ray_constants
from ray._private.accelerators import get_accelerator_manager_for_resource
from ray._private.runtime_env.constants import RAY_JOB_CONFIG_JSON_ENV_VAR
from ray._private.utils import estimate_available_memory, get_num_cpus, resolve_object_store_memory
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined] # made by Cython
from ray.actor import ActorHandle
from ray.tune.execution import class_cache
from ray.tune.experiment import Trial


def start_ray(folder: str | None, **options: Any) -> None:
    """Start Ray for this machine only: none of its ports is open to others.

    What Ray does by itself on macOS and Windows; on Linux its setting is read when Ray is imported, which is
    before it is known whether a cluster will be joined.

    Args:
        folder: of its logs, sockets and spilled objects; None: what `RAY_TMPDIR` says.
        options: of `ray.init`.
    """
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        ray.init(address="local", include_dashboard=False, _temp_dir=folder, **options)
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def memory_bytes() -> tuple[int, int]:
    """Return the free and the total memory of this machine, or of its container, as Ray counts them."""
    return estimate_available_memory(), get_system_memory()


def machine_resources() -> dict[str, float]:
    """Return the CPUs and GPUs that Ray would count on this machine, or in its container."""
    manager = get_accelerator_manager_for_resource("GPU")
    assert manager is not None
    gpus = manager.get_current_node_num_accelerators()
    visible = manager.get_current_process_visible_accelerator_ids()
    return {"CPU": get_num_cpus(), "GPU": gpus if visible is None else min(gpus, len(visible))}


def object_store_bytes(free_bytes: int) -> int:
    """Return how much shared memory Ray asks for by default where so much memory is free.

    Raises:
        FileNotFoundError: there is no /dev/shm.
    """
    return resolve_object_store_memory(free_bytes)


def reload_token() -> None:
    """Have Ray read again whether it authenticates, and with which token: it caches both for good."""
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def keep_keys_from_runtime_env() -> None:
    """Tell Tune to leave the driver's AWS keys out of the runtime environment, which Ray writes to a log."""
    class_cache.ENV_VARS_TO_PROPAGATE.clear()


def job_runtime_env() -> dict[str, Any]:
    """Read the runtime environment that `ray job submit` gave this driver; empty if it was not so started."""
    job = json.loads(os.environ.get(RAY_JOB_CONFIG_JSON_ENV_VAR, "{}"))
    environment: dict[str, Any] = job.get("runtime_env", {})
    return environment


def worker_of(trial: Trial) -> ActorHandle[Any] | None:
    """Return the actor that runs a trial of Tune; None while it has none."""
    worker: ActorHandle[Any] | None = trial.temporary_state.ray_actor
    return worker


def actor_id(worker: ActorHandle[Any]) -> str:
    """Return the id, in hexadecimal, by which Ray's errors name an actor."""
    name: str = worker._actor_id.hex()
    return name
