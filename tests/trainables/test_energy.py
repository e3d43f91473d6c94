"""Joules are the difference of what the hardware counts; what it does not count is not known."""

import time
from pathlib import Path

import pytest
import torch

from trainables.cost.energy import MOST_WATTS, Nvml, Rapl

RANGE = 2_000_000_000
"""Microjoules after which the planted counters start again: two seconds at MOST_WATTS."""


class Powercap:
    """Files as Linux has them, and a clock."""

    def __init__(self, root: Path) -> None:
        self.root, self.now = root, 0.0
        self.domain("intel-rapl:0", "package-0", 1_000_000)
        self.domain("intel-rapl:0:0", "core", 7_000_000)
        self.domain("intel-rapl:1", "package-1", 5_000_000)
        self.domain("intel-rapl:2", "psys", 9_000_000)

    def domain(self, folder: str, name: str, counter: int) -> None:
        (self.root / folder).mkdir(exist_ok=True)
        (self.root / folder / "name").write_text(f"{name}\n")
        (self.root / folder / "max_energy_range_uj").write_text(f"{RANGE}\n")
        self.count(folder, counter)

    def count(self, folder: str, counter: int) -> None:
        (self.root / folder / "energy_uj").write_text(f"{counter}\n")

    def clock(self) -> float:
        return self.now

    def rapl(self) -> Rapl:
        return Rapl(self.root, self.clock)


@pytest.fixture
def powercap(tmp_path: Path) -> Powercap:
    return Powercap(tmp_path)


def test_the_packages_are_added_and_their_parts_are_not_counted_twice(powercap: Powercap) -> None:
    rapl = powercap.rapl()
    assert rapl.joules() == 0
    powercap.count("intel-rapl:0", 4_000_000)
    powercap.count("intel-rapl:0:0", 10_000_000)
    powercap.count("intel-rapl:1", 5_500_000)
    powercap.count("intel-rapl:2", 99_000_000)
    assert rapl.joules() == 3.5


def test_a_counter_that_starts_again_goes_on(powercap: Powercap) -> None:
    powercap.count("intel-rapl:0", RANGE - 500_000)
    rapl = powercap.rapl()
    powercap.now = 1.0
    powercap.count("intel-rapl:0", 499_999)
    assert rapl.joules() == pytest.approx(1.0)


def test_a_gap_in_which_it_may_have_started_again_twice_makes_it_unknown_for_good(
    powercap: Powercap,
) -> None:
    rapl = powercap.rapl()
    powercap.now = RANGE / 1e6 / MOST_WATTS + 0.1
    assert rapl.joules() is None
    powercap.now += 0.1
    assert rapl.joules() is None


def test_a_counter_that_may_not_be_read_is_unknown(powercap: Powercap) -> None:
    (powercap.root / "intel-rapl:1" / "energy_uj").unlink()
    (powercap.root / "intel-rapl:1" / "energy_uj").mkdir()  # not even root reads a folder
    assert powercap.rapl().joules() is None


def test_a_machine_without_counters_is_unknown(tmp_path: Path) -> None:
    assert Rapl(tmp_path).joules() is None
    assert Rapl(tmp_path / "absent").joules() is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_at_work_spends_joules() -> None:
    counter = Nvml(torch.device("cuda"))
    before, start = counter.joules(), time.perf_counter()
    if before is None:
        pytest.skip("this GPU does not count its energy")
    matrix = torch.randn(4096, 4096, device="cuda")
    while time.perf_counter() - start < 1:
        torch.mm(matrix, matrix)
        torch.cuda.synchronize()
    after = counter.joules()
    assert after is not None
    assert 10 < after - before < 2_000
