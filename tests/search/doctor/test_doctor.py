"""What the doctor finds on a healthy machine, and on one where something is wrong."""

import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest
import torch
from huggingface_hub import constants
from rich.console import Console

from search.console.doctor_table import conclusion, findings_table, nodes_table
from search.doctor import accelerator, machine, services
from search.doctor.finding import Finding, could_run, failed, passed, warned
from search.doctor.packages import Declared, check_packages, declared
from tests.ray_cluster import head_with_jobs, started
from tests.shadow_cuda import ShadowCuda

ROOT = Path(__file__).parents[3]
GIB = 2**30
NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="torch sees the GPU of this machine")
Usage = namedtuple("Usage", "total used free")


def by_name(findings: Any) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def assert_wrong(finding: Finding, verdict: str, message: str, remedy: str) -> None:
    assert finding.verdict == verdict
    assert message in finding.message
    assert remedy in finding.remedy


def test_the_packages_here_are_those_declared() -> None:
    wanted = declared()
    names = {text.split(">=")[0].split("[")[0] for text in wanted.requirements}
    assert {"torch", "ray", "optuna"} <= names
    assert not {"pytest", "mlflow-skinny", "s3fs"} & names
    found = by_name(check_packages(wanted))
    assert {finding.verdict for finding in found.values()} == {"pass"}
    assert sys.executable in found["Python"].message


def test_packages_that_are_missing_or_of_another_version_are_named() -> None:
    wanted = Declared(python=">=4", requirements=("torch>=99", "nothing-such>=1", "ray>=2"))
    found = by_name(check_packages(wanted))
    assert_wrong(found["Python"], "fail", "3.", "with Python >=4")
    assert_wrong(found["packages"], "fail", f"torch is {torch.__version__}, not >=99", "constraints.txt")
    assert found["packages"].message.endswith("; nothing-such is not installed")


def test_code_without_its_package_is_told() -> None:
    assert_wrong(by_name(check_packages(Declared()))["packages"], "warn", "not compared", "Install tuneoff")


def test_memory_that_is_nearly_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_bytes", lambda: (4 * GIB, 24 * GIB))
    assert machine.check_memory().verdict == "pass"
    monkeypatch.setattr(machine, "memory_bytes", lambda: (3 * GIB, 24 * GIB))
    assert_wrong(machine.check_memory(), "warn", "3 GiB free of", "concurrent_trials")


@pytest.mark.parametrize(
    ("free", "used", "verdict"),
    [
        (50 * GIB, 50 * GIB, "pass"),
        (4 * GIB, 2 * GIB, "warn"),
        (10 * GIB, 900 * GIB, "warn"),  # beyond the share up to which Ray spills
        (GIB // 4, 50 * GIB, "fail"),
    ],
)
def test_a_disk_that_is_too_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, used: int, verdict: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(used + free, used, free))
    (found,) = machine.check_disks({machine.RAY: tmp_path / "none" / "yet"})
    assert found.verdict == verdict
    assert bool(found.remedy) == (verdict != "pass")
    assert found.remedy in ("", "Make room, or set RAY_TMPDIR to a folder on a larger disk.")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (found,) = machine.check_disks({"run folders": tmp_path / "file" / "runs"})
    assert_wrong(found, "fail", "cannot be written: Not a directory", "set storage")


def test_shared_memory_that_is_small_or_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "memory_bytes", lambda: (18 * GIB, 24 * GIB))
    blocks = SimpleNamespace(f_bavail=16_000, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda path: blocks)
    assert_wrong(machine.check_shared_memory(), "warn", "62.5 MiB free, Ray wants 5.4 GiB", "--shm-size=6g")
    blocks.f_bavail = 16_000_000
    assert machine.check_shared_memory().verdict == "pass"
    monkeypatch.undo()
    monkeypatch.setattr(machine, "SHM", tmp_path / "absent")
    assert_wrong(machine.check_shared_memory(), "fail", "absent (No such file", "tmpfs")


@pytest.mark.parametrize(("limit", "verdict"), [(256, "warn"), (4096, "pass")])
def test_few_file_descriptors(limit: int, verdict: str) -> None:
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))\n"
        "from search.doctor.machine import check_descriptors\n"
        "print(check_descriptors().model_dump_json())"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found = Finding.model_validate_json(told.stdout)
    assert (found.verdict, found.message) == (verdict, f"{limit:,} a process (soft limit {limit:,})")
    assert ("ulimit" in found.remedy) == (verdict == "warn")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], str]]:
    """`hub(status)`: the address of one that answers so, and that HF_ENDPOINT names."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    servers = []

    def serve(status: int) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Answer)
        servers.append(server)
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "ENDPOINT", address)
        return address

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("status", "verdict"), [(200, "pass"), (404, "pass"), (407, "warn"), (503, "warn")])
def test_a_hub_that_answers(hub: Callable[[int], str], status: int, verdict: str) -> None:
    address = hub(status)
    found = services.check_hub()
    assert found.verdict == verdict
    assert found.message.startswith(f"{address} answers")


@pytest.mark.parametrize(
    ("endpoint", "why"), [("http://127.0.0.1:1", "refused"), ("hub.example", "unknown url type")]
)
def test_a_hub_that_is_not_there_is_a_warning_unless_nobody_asks_for_it(
    hub: object, monkeypatch: pytest.MonkeyPatch, endpoint: str, why: str
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    found = services.check_hub()
    assert_wrong(found, "warn", f"{endpoint} cannot be reached: ", "HF_HUB_OFFLINE=1")
    assert why in found.message
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert services.check_hub().verdict == "pass"


@NO_GPU
def test_a_machine_without_gpus_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in accelerator.HIDING:
        monkeypatch.delenv(name, raising=False)
    found = by_name(accelerator.check_accelerator(0))
    assert {finding.verdict for finding in found.values()} == {"pass"}
    assert found["device"].message == "CPU, no GPU is here"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    hidden = by_name(accelerator.check_accelerator(0))["device"]
    assert hidden == passed("device", "CPU; CUDA_VISIBLE_DEVICES= hides GPUs")


@NO_GPU
def test_gpus_that_ray_counts_and_torch_does_not_see() -> None:
    found = by_name(accelerator.check_accelerator(2))
    told = f"torch {torch.__version__} (built without CUDA) sees no GPU, and Ray counts 2; no NVIDIA driver"
    assert_wrong(found["device"], "fail", told, "Install a build of torch")
    assert "Install" not in found["device"].message
    assert_wrong(found["NVML"], "warn", "does not answer", "libnvidia-ml")


@NO_GPU
def test_gpus_that_only_their_files_or_nvidia_smi_tell_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in accelerator.HIDING:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(accelerator, "DEVICES", tmp_path)
    device = by_name(accelerator.check_accelerator(0))["device"]
    assert_wrong(
        device, "warn", f"sees no GPU, and there is {tmp_path}/nvidia0; no NVIDIA", "Install a build"
    )
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA L4 (UUID: GPU-1)'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    device = by_name(accelerator.check_accelerator(0))["device"]
    assert_wrong(device, "warn", "and nvidia-smi lists GPU 0: NVIDIA L4 (UUID", "Install a build")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert accelerator.unseen_gpu() == ""


def test_a_torch_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trainables.device_report", None)
    (found,) = accelerator.check_accelerator(0)
    assert_wrong(found, "fail", "cannot be used: ModuleNotFoundError", "constraints.txt")


def test_a_gpu_is_described_and_one_that_others_hold_is_told() -> None:
    with ShadowCuda(total_bytes=80 * GIB) as device:
        found = by_name(accelerator.check_accelerator(1))
        device.memory.reserved = 60 * GIB
        busy = by_name(accelerator.check_accelerator(1))["GPU 0"]
        fewer = by_name(accelerator.check_accelerator(2))["device"]
    assert found["device"] == passed("device", "a GPU")
    assert found["GPU 0"] == passed("GPU 0", "Shadow, 80 GiB free of 80 GiB")
    assert_wrong(busy, "warn", "20 GiB free of 80 GiB: others hold 60 GiB", "nvidia-smi")
    assert_wrong(fewer, "fail", "Ray counts 2 GPUs, torch sees 1", "--num-gpus")


def test_a_gpu_that_computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(device: object) -> None:
        raise RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable\nfor debugging ...")

    with ShadowCuda():
        monkeypatch.setattr(torch.cuda, "mem_get_info", busy)
        found = by_name(accelerator.check_accelerator(1))["GPU 0"]
    assert_wrong(found, "fail", "Shadow computes nothing: CUDA error: all CUDA-capable", "nvidia-smi")
    assert "debugging" not in found.message


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """NVML with two GPUs; `mode` is the compute mode of the second."""
    plant = SimpleNamespace(mode=pynvml.NVML_COMPUTEMODE_DEFAULT, joules=1.0)
    answers: dict[str, Callable[..., Any]] = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetComputeMode": lambda handle: plant.mode if handle else 0,
        "nvmlDeviceGetTotalEnergyConsumption": lambda handle: plant.joules,
        "nvmlSystemGetDriverVersion": lambda: "580.1",
        "nvmlSystemGetCudaDriverVersion": lambda: 13000,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)
    return plant


def test_nvml_and_gpus_that_take_one_process_only(
    nvml: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "the NVIDIA driver is 580.1, for CUDA up to 13.0; 2 GPUs, energy counted"
    assert accelerator.check_nvml(needed=True) == passed("NVML", told)
    nvml.mode = pynvml.NVML_COMPUTEMODE_EXCLUSIVE_PROCESS
    assert_wrong(
        accelerator.check_nvml(needed=True), "warn", "GPU 1 takes one process", "gpus_per_trial to 1"
    )


@pytest.mark.ray
def test_a_ray_that_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / ("long" * 30)))  # a socket's path has 107 characters
    found = services.check_ray(services.start_ray())
    assert_wrong(found, "fail", "Ray cannot be started on this machine", "RAY_TMPDIR=/tmp")


def test_a_ray_that_takes_too_long_or_takes_its_process_with_it() -> None:
    assert services.start_ray(seconds=0.01).error == "it was not there after 0.01 s"

    def kill() -> None:
        while not (found := multiprocessing.active_children()):
            time.sleep(0.01)
        found[0].kill()

    killer = Thread(target=kill)
    killer.start()
    assert services.start_ray().error == "its process died with code -9"
    killer.join()


FINDINGS = [
    passed("torch", "2.13.0, built for CUDA 13.0"),
    warned("/dev/shm", "64 MiB free [of 64]", "docker run --shm-size=6g."),
    failed("device", "torch sees no GPU", "Install a build."),
]


def drawn(content: Any) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(content)
    return captured.get()


def test_each_finding_has_a_line_and_its_remedy() -> None:
    lines = drawn(findings_table(FINDINGS)).splitlines()
    assert [line.split("│")[1:4] for line in lines[4:7]] == [
        [f" {each.verdict} ", f" {each.name:8} ", f" {each.message:27} "] for each in FINDINGS
    ]
    assert lines[-2:] == ["warn /dev/shm: docker run --shm-size=6g.", "fail device: Install a build."]


def test_what_is_wrong_with_several_nodes_is_said_once() -> None:
    nodes = {"a": FINDINGS, "b": FINDINGS[:2], "c": FINDINGS[:1]}
    text = drawn(nodes_table(nodes))
    assert [line.split("│")[1].strip() for line in text.splitlines()[4:7]] == ["fail", "warn", "pass"]
    assert "warn /dev/shm (a, b): 64 MiB free [of 64]. docker run --shm-size=6g." in text
    assert "fail device (a): torch sees no GPU. Install a build." in text
    assert not could_run(nodes["a"])
    assert could_run(nodes["b"])
    assert conclusion([FINDINGS[:2]], "this machine") == "A sweep could run on this machine."
    assert "could not run" in conclusion(list(nodes.values()), "the cluster")
    assert "nothing was examined" in conclusion([], "the cluster")


def doctor(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "search.console.app", "doctor", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.ray
@pytest.mark.parametrize("gpus", [0, pytest.param(2, marks=[NO_GPU, pytest.mark.slow])])
def test_the_command_examines_this_machine(gpus: int) -> None:
    done = doctor(RAY_OVERRIDE_RESOURCES=json.dumps({"GPU": gpus}))
    assert done.returncode == bool(gpus), done.stdout + done.stderr
    assert done.stderr == ""
    assert f"starts, with {os.cpu_count()} CPUs and {gpus} GPUs" in done.stdout
    assert ("fail device: Install a build of torch" in done.stdout) == bool(gpus)
    assert f"A sweep could {'not ' if gpus else ''}run on this machine" in done.stdout


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
@NO_GPU
def test_of_three_nodes_each_is_told_apart() -> None:
    """The first is well, the second reaches no hub, Ray counts a GPU on the third."""
    with started(num_cpus=1) as cluster:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HF_HUB_OFFLINE", "0")
            patch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
            cluster.add_node(num_cpus=1)
        cluster.add_node(num_cpus=1, num_gpus=1)
        cluster.wait_for_nodes()
        done = doctor("--address", cluster.address)
    assert done.returncode == 1, done.stdout + done.stderr
    words = [line.split("│")[1].strip() for line in done.stdout.splitlines() if line.startswith("│")]
    assert sorted(filter(None, words)) == ["fail", "pass", "warn"]
    text = " ".join(done.stdout.split())
    assert re.search(r"warn hub \(\S+ \(\w+\)\): http://127.0.0.1:1 cannot be reached: .*refused", text)
    assert re.search(r"fail device \(\S+ \(\w+\)\): torch .* sees no GPU, and Ray counts 1;", text)
    assert "A sweep could not run on the cluster at " in done.stdout


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cluster_is_examined_from_outside_as_a_job_of_it() -> None:
    with head_with_jobs() as (address, _):
        done = doctor("--address", address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "A sweep could run on the cluster at " in done.stdout
