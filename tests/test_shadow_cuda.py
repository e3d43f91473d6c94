"""What the shadow holds for true of CUDA; where there is a GPU, each rule is asked of that too."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tests.shadow_cuda import ShadowCuda
from tests.shadow_device import ROOT, Event
from trainables.batches import padded, to_device

GPU = torch.device("cuda", 0)
HAS_GPU = torch.cuda.is_available()
MB = 2**20
needs_gpu = pytest.mark.skipif(not HAS_GPU, reason="needs an NVIDIA GPU")


@pytest.fixture
def shadow() -> Iterator[ShadowCuda]:
    with ShadowCuda(total_bytes=1000 * MB) as device:
        yield device


@pytest.fixture(
    params=[
        "shadow",
        pytest.param("true", marks=needs_gpu),
    ]
)
def cuda(request: pytest.FixtureRequest) -> Iterator[None]:
    """A shadow, then a true GPU."""
    with ShadowCuda() if request.param == "shadow" else nullcontext():
        yield


def matrix(device: str | torch.device = "cuda") -> Tensor:
    return torch.arange(16.0, device=device).reshape(4, 4)


MIXED: dict[str, Callable[[], Any]] = {
    "sum": lambda: matrix() + matrix("cpu"),
    "product": lambda: matrix() @ matrix("cpu"),
    "concatenation": lambda: torch.cat([matrix("cpu"), matrix()]),
    "embedding": lambda: nn.functional.embedding(torch.tensor([1, 2]), matrix()),
    "layer": lambda: nn.Linear(4, 4).cuda()(matrix("cpu")),
    "in place": lambda: matrix().add_(matrix("cpu")),
    "a number of the device": lambda: matrix("cpu") + torch.tensor(2.0, device="cuda"),
    "indices of the device": lambda: matrix("cpu")[torch.tensor([0], device="cuda")],
}


@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("mixed", MIXED.values(), ids=MIXED)
def test_an_operation_on_two_devices_is_an_error(mixed: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError, match=r"on the same device|indices should be either on"):
        mixed()


def test_a_mismatch_is_counted_also_where_its_error_is_caught(shadow: ShadowCuda) -> None:
    with pytest.raises(RuntimeError):
        MIXED["product"]()
    assert shadow.counts.by_operation("mismatch") == {"mm": 1}


@pytest.mark.usefixtures("cuda")
def test_numbers_and_indices_of_the_host_may_be_mixed_in() -> None:
    assert (matrix() * torch.tensor(2.0)).device == GPU
    assert matrix()[torch.tensor([0, 2])].device == GPU
    filled = matrix()
    filled[torch.tensor([0])] = torch.tensor(5.0)
    assert filled.cpu()[0].tolist() == [5.0] * 4


def by_default() -> Tensor:
    with torch.device("cuda"):
        return torch.ones(2)


MADE: dict[str, Callable[[], Tensor]] = {
    "zeros": lambda: torch.zeros(3, device="cuda"),
    "tensor": lambda: torch.tensor([1, 2], device="cuda"),
    "as_tensor": lambda: torch.as_tensor(torch.ones(2), device=GPU),
    "randn": lambda: torch.randn(3, device="cuda:0"),
    "arange": lambda: torch.arange(3, device=torch.device("cuda")),
    "full_like": lambda: torch.full_like(torch.ones(2), 3.0, device="cuda"),
    "like one that is there": lambda: torch.zeros_like(matrix()),
    "new": lambda: matrix().new_ones(2),
    "new from data": lambda: matrix().new_tensor([1.0]),
    "view": lambda: matrix().T[1:],
    "copy": lambda: copy.deepcopy(matrix()),
    "moved": lambda: torch.ones(2).to("cuda", torch.float16),
    "moved beside another": lambda: torch.ones(2).to(matrix()),
    "parameter": lambda: nn.Linear(2, 2).to("cuda").weight,
    "default": by_default,
}


@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_what_is_made_on_cuda_is_on_the_device_with_its_index(make: Callable[[], Tensor]) -> None:
    made = make()
    assert (made.device, made.is_cuda, made.is_cpu, made.get_device()) == (GPU, True, False, 0)
    assert made.device != torch.device("cuda")
    assert made.cpu().device == torch.device("cpu")


@pytest.mark.usefixtures("cuda")
def test_it_is_the_accelerator_of_torch() -> None:
    assert torch.accelerator.is_available()
    assert torch.accelerator.current_accelerator(check_available=True) == torch.device("cuda")
    assert torch.accelerator.current_device_index() == 0
    assert not torch.accelerator.current_stream().is_capturing()
    assert torch.get_device_module(GPU) is torch.cuda


@pytest.mark.usefixtures("cuda")
def test_a_device_without_index_is_refused_where_torch_refuses_it() -> None:
    bare = torch.device("cuda")
    for ask in (
        torch.cuda.get_per_process_memory_fraction,
        lambda device: torch.cuda.set_per_process_memory_fraction(0.5, device),
    ):
        with pytest.raises(ValueError, match="with a specified index or an integer, but got:cuda"):
            ask(bare)
    assert torch.cuda.get_per_process_memory_fraction(GPU) == 1.0
    torch.cuda.synchronize(bare)
    for answers in (
        torch.cuda.mem_get_info,
        torch.cuda.get_device_properties,
        torch.cuda.max_memory_allocated,
        torch.cuda.get_rng_state,
    ):
        answers(bare)


@pytest.mark.usefixtures("cuda")
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.ones(2).to(f"cuda:{torch.cuda.device_count()}")


@pytest.mark.usefixtures("cuda")
def test_numpy_reads_only_the_host() -> None:
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        matrix().numpy()
    assert matrix().cpu().numpy().sum() == matrix().sum() == 120


WAITED_FOR: dict[str, tuple[Callable[[Tensor], Any], bool]] = {
    "cpu": (lambda x: x.cpu(), True),
    "to": (lambda x: x.to("cpu"), True),
    "item": (lambda x: x.sum().item(), True),
    "if": (lambda x: bool((x > 0).any()), True),
    "list": (lambda x: x.tolist(), True),
    "nonzero": (lambda x: x.nonzero(), True),
    "unique": (lambda x: x.unique(), True),
    "equal": (lambda x: torch.equal(x, x), True),
    "mask": (lambda x: x[x > 0], True),
    "mask that is filled": (lambda x: x.__setitem__(x > 0, 1.0), False),
    "masked fill": (lambda x: x.masked_fill(x > 0, 1.0), False),
    "indices": (lambda x: x[x[0].long().clamp(max=3)], False),
    "tensor": (lambda x: torch.tensor([1.0], device=x.device), True),
    "tensor of nothing": (lambda x: torch.tensor([], device=x.device), False),
    "copy from the host": (lambda x: x.copy_(torch.ones(4, 4)), True),
    "pinned copy": (lambda x: torch.ones(4).pin_memory().to(x.device, non_blocking=True), False),
    "pinned copy in place": (lambda x: x.copy_(torch.ones(4, 4).pin_memory(), non_blocking=True), False),
    "pinned copy that is waited for": (lambda x: torch.ones(4).pin_memory().to(x.device), True),
    "product": (lambda x: x @ x, False),
    "cast": (lambda x: x.to(torch.float16), False),
    "factory": (torch.zeros_like, False),
    "backward": (lambda x: (x.requires_grad_() ** 2).sum().backward(), False),
}
by_what_is_waited_for = pytest.mark.parametrize(
    ("work", "waits"), list(WAITED_FOR.values()), ids=list(WAITED_FOR)
)


@by_what_is_waited_for
def test_what_the_host_waits_for_is_a_synchronisation(
    shadow: ShadowCuda, work: Callable[[Tensor], Any], waits: bool
) -> None:
    given = matrix()
    with shadow.counting() as counts:
        work(given)
    assert (counts.of("synchronisation") > 0) == waits


@needs_gpu
@by_what_is_waited_for
def test_torch_itself_waits_for_the_same(work: Callable[[Tensor], Any], waits: bool) -> None:
    given = matrix()
    torch.cuda.set_sync_debug_mode("error")
    try:
        with pytest.raises(RuntimeError, match="synchronizing") if waits else nullcontext():
            work(given)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_copies_are_counted_by_their_direction_and_whether_they_are_pageable(shadow: ShadowCuda) -> None:
    with shadow.counting() as counts:
        torch.ones(4).cuda()
        torch.tensor([1.0], device="cuda")
        torch.ones(4).pin_memory().cuda()
    assert counts.by_operation("copy to the device") == {"to": 2, "tensor": 1}
    assert counts.by_operation("pageable copy") == {"to": 1, "tensor": 1}
    assert counts.of("copy to the host") == 0
    with shadow.counting() as counts:
        matrix().cpu()
        matrix().sum().item()
    assert counts.by_operation("copy to the host") == {"to": 1, "_local_scalar_dense": 1}
    assert counts.of("copy to the device") == 0


def test_kernels_are_operations_that_compute(shadow: ShadowCuda) -> None:
    given = matrix().requires_grad_()
    with shadow.counting() as counts:
        given.T[1:].unsqueeze(0).detach()
        torch.ops.aten._unsafe_view(given, [16])
        torch.empty_like(given)
        torch.ones(3) + 1
    assert counts.of("kernel") == 0
    with shadow.counting() as counts:
        (given @ given).relu().sum().backward()
    assert counts.by_operation("kernel")["mm"] == 3
    assert counts.by_operation("kernel")["threshold_backward"] == 1


def test_to_wait_for_work_with_more_work_behind_it_holds_nobody_up(shadow: ShadowCuda) -> None:
    given, event = matrix(), torch.Event(GPU)
    with shadow.counting() as counts:
        event.record()
        given @ given
        event.synchronize()
    assert counts.of("synchronisation") == 0
    with shadow.counting() as counts:
        event.record()
        event.synchronize()
    assert counts.of("synchronisation") == 1


ONE_KERNEL: dict[str, Callable[[Tensor], Tensor]] = {
    "_fused_rms_norm": lambda x: nn.functional.rms_norm(x, (4,), x[0], 1e-6),
    "native_dropout": lambda x: nn.functional.dropout(x, 0.0001, training=True) + x,
    "_scaled_dot_product_efficient_attention": lambda x: nn.functional.scaled_dot_product_attention(
        x[None], x[None], x[None], attn_mask=x
    ),
}


@pytest.mark.parametrize("kernel", ONE_KERNEL)
def test_what_cuda_computes_in_one_kernel_is_one_each_way(shadow: ShadowCuda, kernel: str) -> None:
    found = []
    for device in ("cuda", "cpu"):
        given = matrix(device).div(16).requires_grad_()
        with shadow.counting() as counts:
            made = ONE_KERNEL[kernel](given)
            made.square().sum().backward()
        found.append((made.detach().cpu(), given.grad.cpu()))
        expected = 1 if device == "cuda" else 0
        assert counts.by_operation("kernel")[kernel] == expected
        assert counts.by_operation("kernel")[f"{kernel}_backward"] == expected
    torch.testing.assert_close(*found)


def test_what_is_dropped_forwards_is_dropped_backwards(shadow: ShadowCuda) -> None:
    given = torch.ones(50, device="cuda", requires_grad=True)
    made = nn.functional.dropout(given, 0.5, training=True)
    torch.rand(3, device="cuda")
    made.sum().backward()
    assert given.grad.equal(made.detach())
    assert 0 < (made == 0).sum() < 50
    assert nn.functional.dropout(given, 0.5, training=False).equal(given)


def test_an_event_names_the_line_of_tuneoff_that_caused_it(shadow: ShadowCuda) -> None:
    ids, mask = padded([[5, 6], [7]], 0)
    with shadow.counting() as counts:
        to_device(ids, GPU)
        to_device(mask, GPU)
        matrix()
    (line,) = counts.by_line("copy to the device")
    assert line.startswith("trainables/batches.py:")
    assert counts[Event("copy to the device", "to", line)] == 2
    assert counts.of("pageable copy") == counts.of("synchronisation") == 0
    assert set(counts.by_line("kernel")) == {"elsewhere"}


@pytest.mark.usefixtures("shadow")
def test_values_and_gradients_are_those_of_the_cpu() -> None:
    def trained(device: str) -> list[Tensor]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 1)).to(device)
        optimizer = torch.optim.AdamW(model.parameters(), fused=True)
        for _ in range(3):
            model(matrix(device)).square().mean().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        return [parameter.detach().cpu() for parameter in model.parameters()]

    for there, here in zip(trained("cuda"), trained("cpu"), strict=True):
        assert there.equal(here)


@pytest.mark.usefixtures("cuda")
def test_a_gradient_comes_back_to_where_its_tensor_is() -> None:
    weight = torch.ones(4, requires_grad=True)
    (weight.cuda() * 3).sum().backward()
    assert weight.grad is not None
    assert weight.grad.device.type == "cpu"
    assert weight.grad.tolist() == [3.0] * 4


@pytest.mark.usefixtures("cuda")
def test_what_a_backward_pass_computes_anew_is_on_the_device_too() -> None:
    seen = []

    def forward(x: Tensor) -> Tensor:
        seen.append(x.device)
        return x * torch.ones(4, device=x.device)

    given = matrix().requires_grad_()
    checkpoint(forward, given, use_reentrant=False).sum().backward()
    assert seen == [GPU, GPU]


DETERMINISTIC_PRODUCT = """
import torch
from contextlib import nullcontext
from tests.shadow_cuda import ShadowCuda
with {device}():
    torch.use_deterministic_algorithms(True)
    print((torch.ones(2, 2, device="cuda") @ torch.ones(2, 2, device="cuda")).sum().item())
"""


@pytest.mark.parametrize("device", ["ShadowCuda", pytest.param("nullcontext", marks=needs_gpu)])
def test_deterministic_products_need_a_workspace_of_a_fixed_size(device: str) -> None:
    """In a process of its own, since CUDA asks for it once."""

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", DETERMINISTIC_PRODUCT.format(device=device)]
        inherited = {key: value for key, value in os.environ.items() if key != "CUBLAS_WORKSPACE_CONFIG"}
        return subprocess.run(
            command, env=inherited | environment, cwd=ROOT, capture_output=True, text=True, check=False
        )

    refused, done = run(), run(CUBLAS_WORKSPACE_CONFIG=":4096:8")
    assert "not deterministic because it uses CuBLAS" in refused.stderr
    assert (done.stdout, done.stderr) == ("8.0\n", "")


@pytest.mark.usefixtures("cuda")
def test_autocast_for_cuda_casts() -> None:
    with torch.autocast("cuda", torch.bfloat16):
        assert torch.is_autocast_enabled("cuda")
        assert (matrix() @ matrix()).dtype is torch.bfloat16
        with torch.autocast("cuda", enabled=False):
            assert (matrix() @ matrix()).dtype is torch.float32
    assert not torch.is_autocast_enabled("cuda")


@pytest.mark.usefixtures("cuda")
def test_a_gradient_scaler_finds_what_overflowed_and_changes_no_weight() -> None:
    weight = nn.Parameter(torch.ones(4, device="cuda"))
    optimizer = torch.optim.AdamW([weight], fused=True)
    scaler = torch.amp.GradScaler("cuda", init_scale=4.0)
    assert scaler.is_enabled()
    for factor, scale in ((torch.inf, 2.0), (1.0, 2.0)):
        before = weight.detach().clone()
        scaler.scale((weight * factor).sum()).backward()
        scaler.unscale_(optimizer)
        assert weight.grad is not None
        assert weight.grad.tolist() == [factor] * 4
        scaler.step(optimizer)
        scaler.update()
        assert scaler.get_scale() == scale
        assert torch.equal(weight, before) == (factor == torch.inf)
        optimizer.zero_grad()


@pytest.mark.usefixtures("cuda")
def test_the_device_has_random_numbers_of_its_own() -> None:
    torch.manual_seed(3)
    of_cpu, of_gpu = torch.get_rng_state(), torch.cuda.get_rng_state(GPU)
    first = [torch.rand(2, device="cuda"), nn.functional.dropout(matrix())]
    assert torch.equal(torch.get_rng_state(), of_cpu)
    assert not torch.equal(torch.cuda.get_rng_state(GPU), of_gpu)
    torch.cuda.set_rng_state(of_gpu, GPU)
    again = [torch.rand(2, device="cuda"), nn.functional.dropout(matrix())]
    assert all(map(torch.equal, first, again))


@pytest.mark.usefixtures("cuda")
def test_memory_is_what_tensors_hold() -> None:
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    held = torch.zeros(8 * MB, dtype=torch.uint8, device="cuda")
    view = held[1:]
    del held
    torch.zeros(16 * MB, dtype=torch.uint8, device="cuda")
    assert torch.cuda.memory_allocated() == before + 8 * MB
    assert torch.cuda.max_memory_allocated() == before + 24 * MB
    del view
    assert torch.cuda.memory_allocated() == before
    assert torch.cuda.memory_reserved() >= 24 * MB


@pytest.mark.usefixtures("cuda")
def test_a_module_that_goes_to_the_host_and_back_is_the_same_and_takes_nothing_there() -> None:
    layer = nn.Linear(512, 512).cuda()
    layer.register_buffer("mask", torch.ones(512, device="cuda"))
    before, held = dict(layer.named_parameters()), torch.cuda.memory_allocated()
    values = layer.weight.tolist()
    layer.to("cpu")
    assert torch.cuda.memory_allocated() <= held - 512 * 512 * 4
    layer.to(GPU)
    assert torch.cuda.memory_allocated() == held
    assert {tensor.device for tensor in [*layer.parameters(), *layer.buffers()]} == {GPU}
    assert all(parameter is before[name] for name, parameter in layer.named_parameters())
    assert layer.weight.tolist() == values


@pytest.mark.usefixtures("cuda")
def test_more_memory_than_there_is_cannot_be_had() -> None:
    _, total = torch.cuda.mem_get_info()
    held = torch.empty(32 * MB, dtype=torch.uint8, device="cuda")
    before = torch.cuda.memory_allocated()
    torch.cuda.set_per_process_memory_fraction(20 * MB / total, 0)
    with pytest.raises(
        torch.OutOfMemoryError, match=r"^CUDA out of memory. Tried to allocate 64.00 MiB. GPU 0"
    ):
        torch.empty(64 * MB, dtype=torch.uint8, device="cuda")
    del held
    assert torch.cuda.memory_allocated() == before - 32 * MB
    torch.cuda.set_per_process_memory_fraction(1.0, 0)
    torch.empty(64 * MB, dtype=torch.uint8, device="cuda")


LOST: dict[str, Callable[[Tensor], Any]] = {
    "synchronize": lambda x: torch.cuda.synchronize(),
    "kernel": lambda x: x + x,
    "factory": lambda x: torch.zeros(2, device=x.device),
    "copy to the host": lambda x: x.cpu(),
    "copy to the device": lambda x: torch.ones(2).to(x.device),
    "memory": lambda x: torch.cuda.mem_get_info(),
}


def with_a_lost_context(given: Tensor) -> None:
    """Every call answers with the same error, again and again; what needs no device works."""
    for _ in range(2):
        for call in LOST.values():
            with pytest.raises(torch.AcceleratorError, match=r"^CUDA error: device-side assert triggered"):
                call(given)
    assert given.T.shape == (4, 4)
    assert torch.cuda.is_initialized()
    assert torch.cuda.is_available()


def test_after_a_failed_assert_the_context_is_lost(shadow: ShadowCuda) -> None:
    given = matrix()
    shadow.lose_context("device-side assert triggered")
    with_a_lost_context(given)


@pytest.mark.skipif(not HAS_GPU, reason="needs an NVIDIA GPU")
def test_torch_itself_loses_it_and_a_new_process_has_another() -> None:
    code = """
from tests.test_shadow_cuda import matrix, torch, with_a_lost_context
given, nowhere = matrix(), torch.tensor([9], device="cuda")
given[nowhere]
with_a_lost_context(given)
"""
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    assert matrix().sum() == 120


def test_nothing_of_it_is_left() -> None:
    from transformers.utils.import_utils import is_torch_cuda_available

    modules = (torch, torch._C, torch.cuda, torch.cuda.memory, torch.cuda.random, torch.autograd, Tensor)
    before = [dict(vars(module)) for module in modules]
    assert is_torch_cuda_available() == HAS_GPU
    with pytest.raises(AssertionError), ShadowCuda():
        assert not is_torch_cuda_available()
    assert [dict(vars(module)) for module in modules] == before
    assert is_torch_cuda_available() == HAS_GPU
    assert torch.ones(2).device == torch.device("cpu")
