"""GPUs that Ray counts on and torch does not see: told before anything is spent; none trains without."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
import torch
from ray import cloudpickle
from ray.cluster_utils import Cluster
from ray.exceptions import RayTaskError

from search.cluster import nodes
from search.cluster.failures import failure_kind
from search.engine.runner import run
from search.records.run_folder import RunFolder
from tests.ray_cluster import started
from tests.search import replay
from trainables.errors import GpuNotSeen, InputError
from trainables.trainable import FineTune

cloudpickle.register_pickle_by_value(sys.modules[__name__])

ROOT = Path(__file__).parents[3]
COMPLAINT = (
    rf"torch {re.escape(torch.__version__)} \(built .*\) sees no GPU, and Ray counts on one; .*NVIDIA driver"
    ".* Install a build of torch .*; or set resources.gpus_per_trial to 0"
)

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(torch.cuda.is_available(), reason="torch sees the GPU of this machine"),
]


@pytest.fixture(scope="module")
def blind() -> Iterator[Cluster]:
    """A cluster that counts on two GPUs of this machine, which has none."""
    with started(num_cpus=2, num_gpus=2) as cluster:
        yield cluster


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return replay.plant_task(tmp_path / "task")


def tuneoff(
    *arguments: str, module: str = "search.console.app", **environment: str
) -> subprocess.CompletedProcess[str]:
    """The command, or what `module` has in its place, to its end."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def plant(task: Path, **changes: Any) -> Path:
    """The file of a sweep whose run folder is beside its task."""
    file = task / "sweep.yaml"
    file.write_text(replay.sweep(task, storage=str(task / "runs"), **changes).to_yaml())
    return file


@pytest.mark.parametrize(
    ("command", "where"), [("run", "this machine"), ("run", "a cluster"), ("check", "this machine")]
)
def test_the_command_refuses_before_the_checks(
    request: pytest.FixtureRequest, task: Path, model_folder: Callable[..., str], command: str, where: str
) -> None:
    """A sweep that would train on the CPU to its end."""
    model, few = model_folder("t5", 0.1, False), {"search__trials_per_method": 1, "final__seeds": 1}
    file = plant(task, task__model=model, methods={"lora": {}}, **few)
    arguments, environment = [command, str(file)], {}
    if where == "a cluster":
        arguments += ["--address", request.getfixturevalue("blind").address]
    else:
        environment["RAY_OVERRIDE_RESOURCES"] = '{"GPU": 2}'
    done = tuneoff(*arguments, **environment)
    assert done.returncode == 2, done.stdout + done.stderr
    (error,) = done.stderr.splitlines()
    assert re.match(rf"Error: 1 of 1 nodes with GPUs cannot train \(.*\): {COMPLAINT}", error)
    assert "Traceback" not in done.stdout
    folder = RunFolder(task / "runs" / "replayed")
    assert folder.read_records() == []
    assert not folder.preflight_file.exists()


def test_a_sweep_that_asks_for_no_gpu_runs_there(blind: Cluster, task: Path) -> None:
    file = plant(task, resources__gpus_per_trial=0)
    done = tuneoff("run", str(file), "--address", blind.address, module="tests.search.drive")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_worker_that_was_given_a_gpu_neither_trains_nor_asks_the_gates_without(blind: Cluster) -> None:
    """Where the node joined a moment ago: another machine may train the trial."""
    ray.init(address=blind.address, log_to_driver=False)
    try:
        actor = ray.remote(num_cpus=0, num_gpus=1)(FineTune).remote({"assignment": {}})
        checks = ray.remote(num_cpus=0, num_gpus=1)(lambda: [*FineTune.checks({})])
        for answer in (actor.train.remote(), checks.remote()):
            with pytest.raises(RayTaskError, match=COMPLAINT) as raised:
                ray.get(answer)
            assert isinstance(raised.value.cause, GpuNotSeen)
            assert failure_kind(str(raised.value)) == "preemption"
    finally:
        ray.shutdown()


def observer(real: Callable[[], Any] = nodes.observer) -> Callable[..., nodes.Facts]:
    """The real one, but for what a node says that was started with SEES in its environment."""
    observe_really = real()

    def observe(*arguments: Any) -> nodes.Facts:
        import os

        found = observe_really(*arguments)
        if "SEES" not in os.environ:
            return found
        return {**found, "blind": None, "gpus": [{"name": "L4"}], "gpu_bytes": 24 * 2**30}

    return observe


@pytest.fixture
def mixed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A node that says that it sees its GPU, one that does not see it, one that has none."""
    monkeypatch.setattr(nodes, "observer", observer)
    monkeypatch.setenv("SEES", "1")
    with started(num_cpus=1, num_gpus=1) as cluster:
        monkeypatch.delenv("SEES")
        cluster.add_node(num_cpus=1, num_gpus=1)
        cluster.add_node(num_cpus=1, num_gpus=0)
        yield cluster


def test_of_several_nodes_the_blind_one_is_named(mixed: Cluster, task: Path) -> None:
    message = rf"^1 of 2 nodes with GPUs cannot train \([^,]*\): {COMPLAINT}"
    with pytest.raises(InputError, match=message) as raised:
        run(replay.sweep(task), task / "run", address=mixed.address, trainable=replay.Replay)
    ray.init(address=mixed.address, log_to_driver=False)
    try:
        asked = {
            nodes.name(node): nodes.ask(node, uses_gpus=True).result() for node in nodes.able(ray.nodes())
        }
        seeing = [node for node in nodes.able(ray.nodes()) if not asked[nodes.name(node)]["blind"]]
        described, smallest = nodes.check_gpus(node for node in seeing if "GPU" in node["Resources"])
        unused = [nodes.ask(node, uses_gpus=False).result()["blind"] for node in nodes.able(ray.nodes())]
    finally:
        ray.shutdown()
    (named,) = (name for name, found in asked.items() if found["blind"])
    assert named in str(raised.value)
    assert (described, smallest) == ([{"name": "L4"}], 24 * 2**30)
    assert unused == [None] * 3
    assert replay.asked(task) == []


@pytest.mark.parametrize("own", [{}, {"PYTORCH_ALLOC_CONF": "backend:native"}])
def test_a_workers_gpu_memory_grows_in_place_unless_the_user_says_otherwise(
    blind: Cluster, own: dict[str, str]
) -> None:
    @ray.remote(num_gpus=1, runtime_env={"env_vars": own})
    def environment() -> str:
        FineTune({})
        return os.environ["PYTORCH_ALLOC_CONF"]

    with ray.init(address=blind.address, log_to_driver=False):
        assert ray.get(environment.remote()) == own.get("PYTORCH_ALLOC_CONF", "expandable_segments:True")
