"""What records say of the GPU that a trial ran on."""

from collections.abc import Callable, Iterator

import pytest
import torch

from tests.fake_nvml import FakeNvml
from tests.shadow_cuda import ShadowCuda
from trainables.accelerator import Accelerator
from trainables.assignment import Assignment
from trainables.device import accelerator, accelerators
from trainables.trial import Trial

GPU = torch.device("cuda", 0)


@pytest.fixture
def shadow() -> Iterator[None]:
    with ShadowCuda():
        yield


@pytest.fixture
def seen(shadow: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Accelerator]:
    """`seen(**fields of FakeNvml)`: what is said of the shadow with such a driver, of CUDA 12.8."""

    def ask(**driver: object) -> Accelerator:
        FakeNvml(**driver).plant(monkeypatch)  # type: ignore[arg-type]
        monkeypatch.setattr(torch.version, "cuda", "12.8")
        monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91002)
        found = accelerator(GPU)
        assert found is not None
        return found

    return ask


def test_a_cpu_is_none() -> None:
    assert accelerator(torch.device("cpu")) is None


def test_a_gpu_has_its_name_and_the_versions_that_change_its_figures(
    seen: Callable[..., Accelerator],
) -> None:
    found = seen()
    versions = {"driver": "570.86.15", "cuda": "12.8", "cudnn": "9.10.2"}
    alone = {"is_mig": False, "is_mps": False, "processes": 1}
    assert found.model_dump() == {"name": "Shadow", **versions, **alone}
    assert found.versions == "Shadow, driver 570.86.15, CUDA 12.8, cuDNN 9.10.2"
    assert found.sharing == []
    assert accelerators() == [found]


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        ({"compute": [1, 2, 3]}, ["beside other processes"]),
        ({"compute": [9], "mps": [1, 2]}, ["through MPS", "beside other processes"]),
        ({"prefix": "MIG-"}, ["on a MIG instance"]),
        ({"prefix": "MIG-", "compute": [1, 2]}, ["on a MIG instance", "beside other processes"]),
        ({"compute": []}, []),
    ],
)
def test_how_it_is_shared_is_said(
    seen: Callable[..., Accelerator], driver: dict[str, object], expected: list[str]
) -> None:
    assert seen(**driver).sharing == expected


def test_what_is_not_known_is_none(seen: Callable[..., Accelerator]) -> None:
    """A container that sees no processes of its host; a driver that knows no such function."""
    asked = ("IsMigDeviceHandle", "GetComputeRunningProcesses", "GetMPSComputeRunningProcesses")
    functions = tuple(f"nvmlDevice{name}" for name in asked)
    found = seen(does_not_know=functions)
    assert (found.is_mig, found.is_mps, found.processes) == (None, None, None)
    assert seen(compute=[]).processes is None
    assert seen(compute=[1, 2], does_not_know=(functions[2],)).processes == 2


@pytest.mark.usefixtures("shadow")
def test_a_gpu_without_nvml_has_its_name() -> None:
    """One of AMD, or a driver that does not answer."""
    found = accelerator(GPU)
    assert found is not None
    assert (found.name, found.driver, found.processes) == ("Shadow", None, None)
    assert found.versions.startswith("Shadow")


@pytest.mark.usefixtures("shadow")
def test_every_report_names_the_gpu_as_it_was_then(
    assign: Callable[..., Assignment], begin: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = begin(assign())
    told = []
    for processes in ([1], [1, 2]):
        FakeNvml(compute=processes).plant(monkeypatch)
        told.append(trial.next_report().result().accelerator)
    assert [found and found.processes for found in told] == [1, 2]
    assert {found and found.name for found in told} == {"Shadow"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_nvml_knows_the_true_gpu() -> None:
    torch.ones(1, device=GPU)
    found = accelerator(GPU)
    assert found is not None
    assert found.name == torch.cuda.get_device_name(GPU)
    assert found.cuda == torch.version.cuda
    if torch.version.cuda:
        assert found.driver is not None
        assert found.cudnn is not None
    assert found.processes is None or found.processes >= 1


def test_a_report_of_a_cpu_names_none(assign: Callable[..., Assignment], begin: Callable[..., Trial]) -> None:
    if not torch.cuda.is_available():
        assert begin(assign()).next_report().accelerator is None
