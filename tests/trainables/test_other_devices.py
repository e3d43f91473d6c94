"""Devices beside NVIDIA's, none of which any machine of ours has: what torch says of them is planted.

That torch has what is called of it, under these names, is asked of torch itself.
"""

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import torch
from torch import Tensor

from trainables.accelerator import Accelerator
from trainables.cost.memory import limit_bytes, peak, release_memory
from trainables.cost.meter import Meter
from trainables.device import accelerator, accelerators, own_device, why_blind
from trainables.model import precision_on
from trainables.preflight.checks.memory import judged
from trainables.random_state import RandomState

MPS, XPU = torch.device("mps", 0), torch.device("xpu", 0)
GIB = 2**30
EVERY = ("get_rng_state", "set_rng_state", "empty_cache", "synchronize", "device_count")
WITH_MEMORY = (
    "reset_peak_memory_stats", "max_memory_allocated", "max_memory_reserved", "memory_reserved",
    "mem_get_info", "get_device_properties", "get_per_process_memory_fraction", "is_bf16_supported",
    "get_device_name",
)  # fmt: skip


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[..., SimpleNamespace]:
    """`plant(device, **functions)`: a machine with such a device; its module of torch has these functions."""

    def machine(device: torch.device, **functions: Any) -> SimpleNamespace:
        state = [torch.arange(4)]
        module = SimpleNamespace(
            is_available=lambda: True,
            device_count=lambda: 1,
            empty_cache=lambda: None,
            synchronize=lambda: None,
            get_rng_state=lambda device: state[0],
            set_rng_state=lambda new, device: state.__setitem__(0, new),
            **functions,
        )
        real = torch.get_device_module
        monkeypatch.setattr(torch._C, "_accelerator_getAccelerator", lambda: torch.device(device.type))
        monkeypatch.setattr(torch._C, "_accelerator_getDeviceIndex", lambda: 0)
        monkeypatch.setattr(
            torch, "get_device_module", lambda asked=None: real("cpu") if _is_cpu(asked) else module
        )
        return module

    return machine


def _is_cpu(device: torch.device | str | None) -> bool:
    return device is not None and torch.device(device).type == "cpu"


@pytest.fixture
def apple(plant: Callable[..., SimpleNamespace], monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.setattr(torch.backends.mps, "get_name", lambda: "Apple M3")
    return plant(MPS)


@pytest.fixture
def intel(plant: Callable[..., SimpleNamespace]) -> SimpleNamespace:
    return plant(
        XPU,
        reset_peak_memory_stats=lambda device: None,
        max_memory_allocated=lambda device: 2 * GIB,
        max_memory_reserved=lambda device: 3 * GIB,
        get_device_properties=lambda device: SimpleNamespace(total_memory=64 * GIB),
        get_per_process_memory_fraction=lambda device: 0.5,
        is_bf16_supported=lambda including_emulation: True,
        get_device_name=lambda device: "Intel Max 1550",
    )


def test_torch_has_what_is_called_of_it() -> None:
    for module in (torch.cuda, torch.xpu, torch.mps):
        assert [name for name in EVERY if not callable(getattr(module, name, None))] == []
        assert "device" in inspect.signature(module.get_rng_state).parameters
    for module in (torch.cuda, torch.xpu):
        assert [name for name in WITH_MEMORY if not callable(getattr(module, name, None))] == []
    assert not hasattr(torch.mps, "max_memory_allocated")
    assert torch.get_device_module("xpu") is torch.xpu
    assert torch.get_device_module("mps") is torch.mps


@pytest.mark.usefixtures("apple")
def test_a_process_trains_on_the_device_that_torch_has_unless_ray_gave_it_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert own_device() == MPS
    assert why_blind() is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert own_device() == torch.device("cpu")


@pytest.mark.usefixtures("apple")
def test_without_memory_statistics_a_peak_is_not_known() -> None:
    release_memory()
    found = peak(MPS)
    assert (found.allocated_bytes, found.reserved_bytes) == (None, None)
    meter = Meter(MPS)
    with meter.spending("train_seconds"):
        pass
    figures = meter.figures()
    assert (figures["peak_memory_bytes"], figures["energy_joules"]) == (None, None)
    assert limit_bytes(MPS) <= psutil.virtual_memory().total


def test_the_memory_check_says_that_it_cannot_tell() -> None:
    profile: Any = SimpleNamespace(peaks={}, trained_bytes=7, top=8)
    found = judged(profile)
    assert (found.verdict, found.figures) == ("warn", {"trained_bytes": 7})
    assert "does not tell how much memory" in found.message


@pytest.mark.usefixtures("intel")
def test_an_intel_gpu_has_memory_statistics() -> None:
    found = peak(XPU)
    assert (found.allocated_bytes, found.reserved_bytes) == (2 * GIB, 3 * GIB)
    assert limit_bytes(XPU) == 32 * GIB


def test_without_bf16_auto_is_fp32(apple: SimpleNamespace, plant: Callable[..., SimpleNamespace]) -> None:
    assert precision_on(MPS) == "fp32"
    for supported, expected in ((True, "bf16"), (False, "fp32")):
        plant(XPU, is_bf16_supported=lambda including_emulation, answer=supported: answer)
        assert precision_on(XPU) == expected


@pytest.mark.usefixtures("apple")
def test_random_numbers_are_the_devices_own() -> None:
    before = RandomState(MPS)
    assert before.tensors.keys() == {"cpu", "mps"}
    torch.get_device_module(MPS).set_rng_state(torch.zeros(4), MPS)
    before.restore()
    state: Tensor = torch.get_device_module(MPS).get_rng_state(MPS)
    assert state.equal(torch.arange(4))


@pytest.mark.parametrize(
    ("fixture", "device", "name"), [("apple", MPS, "Apple M3"), ("intel", XPU, "Intel Max 1550")]
)
def test_records_name_it(
    request: pytest.FixtureRequest, fixture: str, device: torch.device, name: str
) -> None:
    request.getfixturevalue(fixture)
    assert accelerator(device) == Accelerator(name=name)
    assert accelerators() == [Accelerator(name=name)]
