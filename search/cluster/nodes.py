"""Compare the nodes of a cluster with the driver: code, versions, visible GPUs, access to the run folder."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, NodeDiedError, TaskUnschedulableError, WorkerCrashedError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from trainables.amounts import size
from trainables.errors import InputError
from trainables.storage.place import Place

CODE = ("search", "trainables", "spaces")
NEEDED = ("torch", "transformers", "peft", "datasets", "evaluate", "safetensors", "pydantic")
"""Packages without one of which a node cannot train."""
COMPARED = ("ray", *NEEDED, "tokenizers", "numpy", "rouge_score", "sacrebleu")
SAME_MEMORY = 0.95
"""GPUs of one type differ by so much at most, with the driver and with error correction."""
ANSWER_SECONDS = 120
"""How long to wait for a node's answer: its first task waits for a worker process."""
GONE = (NodeDiedError, TaskUnschedulableError, WorkerCrashedError)
"""Errors of a node that has gone since it was asked; it is skipped."""

Node = dict[str, Any]
"""An entry of `ray.nodes()`."""
Facts = dict[str, Any]
"""`python`; `versions` by package, None if missing; `code`, a digest of our sources; `blind`, why torch sees
no GPU, None if it sees one or was not asked; `gpus`, those that it sees, and `gpu_bytes`, the memory of the
smallest: empty and None if it was not asked."""


def observer() -> Callable[[tuple[str, ...], tuple[str, ...], bool], Facts]:
    """Build the task that reports the facts; a closure is pickled whole, for nodes without our code."""

    def observe(packages: tuple[str, ...], modules: tuple[str, ...], looks: bool) -> Facts:
        import hashlib
        import os
        import platform
        from importlib.metadata import PackageNotFoundError, version
        from importlib.util import find_spec
        from pathlib import Path

        def known(package: str) -> str | None:
            try:
                return version(package)
            except PackageNotFoundError:
                return None

        def seen() -> dict[str, object]:
            for hidden in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
                os.environ.pop(hidden, None)  # Ray hides GPUs by it from tasks that ask for none
            try:
                from trainables.device import accelerators, smallest_gpu_bytes, why_blind
            except ImportError:  # a node without torch or this code is refused for that
                return {}
            return {
                "blind": why_blind(),
                "gpus": [gpu.model_dump() for gpu in accelerators()],
                "gpu_bytes": smallest_gpu_bytes(),
            }

        digest = hashlib.sha256()
        for module in modules:
            spec = find_spec(module)
            root = Path((spec.submodule_search_locations or [""])[0]) if spec else Path("absent")
            for file in sorted(root.rglob("*.py")):
                digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
        return {
            "python": platform.python_version(),
            "versions": {package: known(package) for package in packages},
            "code": digest.hexdigest(),
            "blind": None,
            "gpus": [],
            "gpu_bytes": None,
        } | (seen() if looks else {})

    return observe


@cache
def here() -> Facts:
    """Return the facts of this process; our sources are read once."""
    return observer()(COMPARED, CODE, False)


def facts() -> dict[str, Facts]:
    """Ask every node with CPUs for its facts, GPUs left out; keys are by `name`."""
    return _answers({name(node): _observed(node, looks=False) for node in able(ray.nodes())})


def able(nodes: Iterable[Node]) -> list[Node]:
    """Select the nodes that are alive and have CPUs for trials."""
    return [node for node in nodes if node["Alive"] and node["Resources"].get("CPU")]


def ask(node: Node, *, uses_gpus: bool) -> "Future[Facts]":
    """Ask one node for its facts; with `uses_gpus` also whether torch sees its GPUs."""
    looks = uses_gpus and "GPU" in node["Resources"]
    future: Future[Facts] = _observed(node, looks=looks).future()
    return future


def check_gpus(used: Iterable[Node]) -> tuple[list[dict[str, Any]], int | None]:
    """Return the GPUs of these nodes, described, and the memory of the smallest; None where no node tells it.

    Raises:
        InputError: torch does not see those of a node, whose trials would train on the CPU.
    """
    found = _answers({name(node): _observed(node, looks=True) for node in used})
    blind = {node: answer["blind"] for node, answer in found.items() if answer["blind"]}
    if blind:
        raise InputError(
            f"{len(blind)} of {len(found)} nodes with GPUs cannot train ({', '.join(blind)}): "
            f"{next(iter(blind.values()))}"
        )
    gpus = [gpu for answer in found.values() for gpu in answer["gpus"]]
    known = [answer["gpu_bytes"] for answer in found.values() if answer["gpu_bytes"] is not None]
    return gpus, min(known, default=None)


def lack_code(nodes: dict[str, Facts]) -> bool:
    """Tell whether a node does not have exactly this code; true if there are no nodes yet."""
    return not nodes or any(found["code"] != here()["code"] for found in nodes.values())


def check_versions(nodes: dict[str, Facts], mine: Facts) -> list[str]:
    """List the differences from the driver's versions, a line each.

    Raises:
        InputError: a node cannot train, because a package is missing there.
    """
    for node, found in nodes.items():
        if missing := _missing(found):
            raise InputError(f"The node {node} cannot train: {missing}")
    return differences(nodes, mine)


def lacks(found: Facts, mine: Facts, gpu_bytes: int | None) -> str | None:
    """Say why a node that joined cannot train in this sweep; None if it can.

    `gpu_bytes`: memory of the smallest GPU for which trials were measured; None if that is unknown.
    """
    if found["code"] != mine["code"]:
        return "it has another version of tuneoff than this machine, or none."
    return _missing(found) or found["blind"] or _too_small(found["gpu_bytes"], gpu_bytes)


def _too_small(theirs: int | None, measured: int | None) -> str | None:
    if theirs is None or measured is None or theirs >= SAME_MEMORY * measured:
        return None
    return (
        f"its GPU has {size(theirs)}, and trials were measured for {size(measured)}. `tuneoff resume` "
        "counts on it, if it is there then."
    )


def _missing(found: Facts) -> str | None:
    missing = [package for package in NEEDED if found["versions"][package] is None]
    if not missing:
        return None
    return (
        f"{', '.join(missing)} not installed there. "
        "Install tuneoff at the versions of constraints.txt on every node, or in its image."
    )


def differences(nodes: dict[str, Facts], mine: Facts) -> list[str]:
    """List the differences from the driver's versions, a line each."""
    return [
        f"{package} {theirs or 'is missing'} on {node}, {ours or 'not installed'} here"
        for node, found in nodes.items()
        for package, ours, theirs in _pairs(mine, found)
        if ours != theirs
    ]


def _pairs(mine: Facts, found: Facts) -> Iterable[tuple[str, str | None, str | None]]:
    yield "python", mine["python"], found["python"]
    for package, ours in mine["versions"].items():
        yield package, ours, found["versions"][package]


def check_storage(root: Place, environment: Mapping[str, str]) -> None:
    """Raise InputError where a node that would train does not see what the driver writes into `root`.

    `environment` holds the variables that its workers will get, credentials included.
    """
    probe = root / f".seen-{uuid.uuid4().hex}"
    probe.parent.mkdir(parents=True, exist_ok=True)
    probe.write_text("seen")
    try:
        found = _answers(
            {name(node): on(node, _seer(), str(probe), dict(environment)) for node in able(ray.nodes())}
        )
    finally:
        probe.unlink()
    blind = {node: why for node, why in found.items() if why}
    if blind and isinstance(root, Path):
        raise InputError(
            f"The run folder {root} is not shared: {len(blind)} of {len(found)} nodes do not see it "
            f"({', '.join(blind)}). Set `storage` to a folder that all nodes share (NFS, EFS, Filestore), "
            "or to an object store: s3://BUCKET/PATH or gs://BUCKET/PATH."
        )
    if blind:
        node, why = next(iter(blind.items()))
        raise InputError(
            f"{len(blind)} of {len(found)} nodes cannot read {root}; {node} says: {why}. Install the store's "
            "library there (tuneoff[s3], tuneoff[gcs]) and give the nodes a role that may read and write it."
        )


def _seer() -> Callable[[str, dict[str, str]], str | None]:
    def see(probe: str, environment: dict[str, str]) -> str | None:
        """Say why this node cannot read the file; None if it can."""
        import os

        import fsspec

        for name, value in environment.items():
            os.environ.setdefault(name, value)
        try:
            with fsspec.open(probe) as file:
                file.read()
        except Exception as error:  # noqa: BLE001 (whatever keeps a node from reading is the answer)
            return f"{type(error).__name__}: {error}"
        return None

    return see


def _answers(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Collect the nodes' answers, without those of nodes that have gone."""
    deadline, answers = time.monotonic() + ANSWER_SECONDS, {}
    for node, answer in asked.items():
        try:
            answers[node] = ray.get(answer, timeout=max(0.0, deadline - time.monotonic()))
        except GetTimeoutError as error:
            raise InputError(f"The node {node} did not answer within {ANSWER_SECONDS} s.") from error
        except GONE:
            continue
    return answers


def _observed(node: Node, *, looks: bool) -> Any:
    """Start `observer` on a node; return a reference to its facts.

    To look at GPUs it runs in a process of its own, which then ends: a trial's process must not initialise
    CUDA before Ray has assigned its GPUs.
    """
    return on(node, observer(), COMPARED, CODE, looks, max_calls=int(looks))


def on(node: Node, task: Callable[..., Any], *arguments: Any, max_calls: int = 0) -> Any:
    """Start `task` on the node; return a reference to its answer. It takes no CPU: trials may hold all."""
    there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    remote = ray.remote(num_cpus=0, max_retries=1, max_calls=max_calls)(task)
    return remote.options(scheduling_strategy=there).remote(*arguments)


def name(node: Node) -> str:
    """Name a node for users: its address and the start of its id."""
    return f"{node['NodeManagerAddress']} ({node['NodeID'][:8]})"
