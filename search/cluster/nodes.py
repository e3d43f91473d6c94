"""What the nodes of a cluster have: this very code, the same versions, GPUs and the run folder in sight."""

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
"""Without one of these a node cannot train."""
COMPARED = ("ray", *NEEDED, "tokenizers", "numpy", "rouge_score", "sacrebleu")
SAME_MEMORY = 0.95
"""GPUs of one type differ by so much at most, with the driver and with error correction."""
ANSWER_SECONDS = 120
"""A node's first task waits for a worker process; one that takes longer is not well."""
GONE = (NodeDiedError, TaskUnschedulableError, WorkerCrashedError)
"""What is heard of a node that has gone since it was asked: it has nothing to say."""

Node = dict[str, Any]
"""As `ray.nodes()` has it."""
Facts = dict[str, Any]
"""`python`, `versions` (a package, None where it is missing), `code`, the digest of our sources; `blind`, why
torch sees no GPU there, None where it sees one; `gpu_bytes`, the memory of the smallest that it sees. Both
are None where nobody looked."""


def observer() -> Callable[[tuple[str, ...], tuple[str, ...], bool], Facts]:
    """What reports the facts. Made inside a function, so that it travels whole to a node without our code."""

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

        def gpus() -> dict[str, Any]:
            for hidden in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
                os.environ.pop(hidden, None)  # by which Ray hides GPUs from who did not ask for one
            try:
                from trainables.device import smallest_gpu_bytes, why_blind
            except ImportError:  # a node without torch or this code is refused for that
                return unseen
            why = why_blind()
            return {"blind": why, "gpu_bytes": None if why else smallest_gpu_bytes()}

        unseen = {"blind": None, "gpu_bytes": None}
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
            **(gpus() if looks else unseen),
        }

    return observe


@cache
def here() -> Facts:
    """The facts of this process; our sources are read once."""
    return observer()(COMPARED, CODE, False)


def facts() -> dict[str, Facts]:
    """Those of every node that can train, by its address; nobody looks at its GPUs."""
    return _answers({name(node): _observed(node, looks=False) for node in able(ray.nodes())})


def able(nodes: Iterable[Node]) -> list[Node]:
    """Those that are alive and have CPUs for trials."""
    return [node for node in nodes if node["Alive"] and node["Resources"].get("CPU")]


def ask(node: Node, *, uses_gpus: bool) -> "Future[Facts]":
    """The facts of one node, when it has answered; `uses_gpus` is whether trials do."""
    looks = uses_gpus and "GPU" in node["Resources"]
    future: Future[Facts] = _observed(node, looks=looks).future()
    return future


def check_gpus(used: Iterable[Node]) -> int | None:
    """The memory of the smallest GPU that trials may be given; None where no node tells it.

    Raises:
        InputError: torch does not see the GPUs of a node; its trials would train on the CPU.
    """
    found = _answers({name(node): _observed(node, looks=True) for node in used})
    blind = {node: answer["blind"] for node, answer in found.items() if answer["blind"]}
    if blind:
        raise InputError(
            f"{len(blind)} of {len(found)} nodes with GPUs cannot train ({', '.join(blind)}): "
            f"{next(iter(blind.values()))}"
        )
    known = [answer["gpu_bytes"] for answer in found.values() if answer["gpu_bytes"] is not None]
    return min(known, default=None)


def lack_code(nodes: dict[str, Facts]) -> bool:
    """Whether a node has not exactly this code; of nodes that are still to come it is taken for granted."""
    return not nodes or any(found["code"] != here()["code"] for found in nodes.values())


def check_versions(nodes: dict[str, Facts], mine: Facts) -> list[str]:
    """What differs from the driver's versions, in words, a line a difference.

    Raises:
        InputError: a node cannot train, because a package is missing there.
    """
    for node, found in nodes.items():
        if missing := _missing(found):
            raise InputError(f"The node {node} cannot train: {missing}")
    return differences(nodes, mine)


def lacks(found: Facts, mine: Facts, gpu_bytes: int | None) -> str | None:
    """Why a node that has joined cannot train in this sweep; None where it can.

    `gpu_bytes`: the memory of the smallest GPU for which trials were measured; None where that is unknown.
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
    """What differs from the driver's versions, in words, a line a difference."""
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

    `environment` is what its workers will be given, credentials among it.
    """
    probe = root / f".seen-{uuid.uuid4().hex}"
    probe.parent.mkdir(parents=True, exist_ok=True)
    probe.write_text("seen")
    try:
        found = _answers(
            {name(node): _on(node, _seer(), str(probe), dict(environment)) for node in able(ray.nodes())}
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
        """Why this node does not see the file; None where it does."""
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
    """What the nodes answer that were asked; one that has gone is left out."""
    deadline, answers = time.monotonic() + ANSWER_SECONDS, {}
    for node, answer in asked.items():
        try:
            answers[node] = ray.get(answer, timeout=max(0.0, deadline - time.monotonic()))
        except GetTimeoutError as error:
            raise InputError(f"Not all nodes of the cluster answered within {ANSWER_SECONDS} s.") from error
        except GONE:
            continue
    return answers


def _observed(node: Node, *, looks: bool) -> Any:
    """A reference to the node's facts.

    To look at GPUs it has a process of its own, which then ends: that of a trial is told first which are its.
    """
    return _on(node, observer(), COMPARED, CODE, looks, max_calls=int(looks))


def _on(node: Node, task: Callable[..., Any], *arguments: Any, max_calls: int = 0) -> Any:
    """A reference to what `task` answers on the node; it needs no CPU, which a trial may hold."""
    there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    remote = ray.remote(num_cpus=0, max_retries=1, max_calls=max_calls)(task)
    return remote.options(scheduling_strategy=there).remote(*arguments)


def name(node: Node) -> str:
    """By which users know it."""
    return f"{node['NodeManagerAddress']} ({node['NodeID'][:8]})"
