"""Private names of libraries, a module a library, so that an upgrade breaks one place."""

from search.compat.ray import (
    actor_id,
    job_runtime_env,
    keep_keys_from_runtime_env,
    machine_resources,
    memory_bytes,
    object_store_bytes,
    reload_token,
    start_ray,
    worker_of,
)

__all__ = [
    "actor_id",
    "job_runtime_env",
    "keep_keys_from_runtime_env",
    "machine_resources",
    "memory_bytes",
    "object_store_bytes",
    "reload_token",
    "start_ray",
    "worker_of",
]
