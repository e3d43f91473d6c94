"""Joules are the difference of what the hardware counts; what it does not count is not known."""

import time

import pytest
import torch

from trainables.cost.energy import EnergyCounter


def test_a_processor_is_unknown() -> None:
    assert EnergyCounter(torch.device("cpu")).joules() is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_at_work_spends_joules() -> None:
    counter = EnergyCounter(torch.device("cuda"))
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
