"""The device of a process, and what is said of a GPU that torch does not see."""

from collections.abc import Callable

import pytest
import torch

from tests.fake_nvml import FakeNvml
from trainables.cost.memory import limit_bytes
from trainables.device import limit_memory, own_device, smallest_gpu_bytes, why_blind
from trainables.preflight.room import SHARE_USED, room_bytes


def test_a_gpu_has_its_index_and_is_seen(gpu: torch.device) -> None:
    assert gpu == own_device() == torch.device("cuda", 0)
    assert why_blind() is None


@pytest.mark.usefixtures("gpu")
def test_of_several_on_a_gpu_each_has_its_share_less_its_context() -> None:
    _, total = torch.cuda.mem_get_info()
    context = total // 100
    try:
        limit_memory(0.25, context)
        assert limit_bytes(own_device()) == pytest.approx(total * 0.24, rel=1e-3)
        assert room_bytes(own_device(), 0.25) <= SHARE_USED["gpu"] * total * 0.24
        assert room_bytes(own_device(), 0.25) > 0.2 * total
        limit_memory(0.25, total)  # a GPU of hardly a context
        assert limit_bytes(own_device()) == pytest.approx(total * 0.125, rel=1e-3)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, own_device())


def test_of_a_gpu_no_more_is_counted_on_than_the_smallest_has(gpu: torch.device) -> None:
    _, total = torch.cuda.mem_get_info()
    whole = room_bytes(gpu, 1.0)
    assert room_bytes(gpu, 1.0, 2 * total) == room_bytes(gpu, 1.0, total) == whole
    assert room_bytes(gpu, 1.0, total // 4) == pytest.approx(whole - SHARE_USED["gpu"] * 0.75 * total, abs=2)
    assert room_bytes(gpu, 0.5, total // 4) == int(SHARE_USED["gpu"] * 0.5 * (total // 4))
    assert smallest_gpu_bytes() <= total


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """`driver(version, cuda)`: a machine on which NVML tells of such a driver, and torch sees no GPU."""

    def plant(version: str, cuda: int) -> None:
        FakeNvml(version, cuda).plant(monkeypatch)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    return plant


def test_a_build_that_the_driver_is_too_old_for(
    driver: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver("535.161.08", 12020)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    expected = f"torch {torch.__version__} (built for 13.0) sees no GPU, and Ray counts on one; "
    why = why_blind()
    assert why is not None
    assert why.startswith(expected)
    assert "; the NVIDIA driver is 535.161.08, for CUDA up to 12.2. Install a build" in why


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch sees the GPU of this machine")
def test_a_build_for_cpus_on_a_machine_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    assert own_device() == torch.device("cpu")
    why = why_blind()
    assert why is not None
    assert f"torch {torch.__version__} (built without CUDA) sees no GPU" in why
    assert "resources.gpus_per_trial" in why
    assert "\n" not in why
