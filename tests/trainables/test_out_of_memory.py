"""Where memory runs out, a trial goes on in halves from the state it had; the second time, it ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trainables.test_trial import without_times
from trainables import evaluation, loop, optimization
from trainables.assignment import Assignment
from trainables.cost.memory import limit_bytes
from trainables.loop import FineTuning
from trainables.micro_batches import MicroBatches
from trainables.out_of_memory import OutOfMemory, Shortage, attempt, shortage
from trainables.task import Task
from trainables.trial import Trial
from trainables.workbench import Workbench

CPU_MESSAGE = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 1600000000 bytes. Error code 12 (Cannot allocate memory)"
)
CUDA_MESSAGE = "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79.11 GiB"
LARGEST = 4
"""Examples for which the planted device has memory."""


@pytest.mark.parametrize(
    ("error", "requested"),
    [
        (torch.OutOfMemoryError(CUDA_MESSAGE), 2_684_354_560),
        (RuntimeError(CPU_MESSAGE), 1_600_000_000),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), None),
        (RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"), None),
        (torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be"), None),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), None),
        (RuntimeError("std::bad_alloc"), None),
        (MemoryError(), None),
        (MemoryError("Unable to allocate 7.45 GiB for an array with shape (1000000000,)"), 7_999_376_589),
    ],
)
def test_every_way_of_running_out_of_memory_is_known_with_what_was_asked_for(
    error: Exception, requested: int | None
) -> None:
    assert shortage(error) == Shortage(requested)


def test_what_torch_and_numpy_really_say_is_understood() -> None:
    assert attempt(lambda: torch.empty(2**60, dtype=torch.uint8)) == Shortage(2**60)
    assert isinstance(attempt(lambda: np.empty(2**60, dtype=np.uint8)), Shortage)
    assert isinstance(attempt(lambda: bytearray(2**60)), Shortage)


def test_other_errors_are_what_they_were() -> None:
    def fail() -> None:
        raise RuntimeError("shape mismatch")

    with pytest.raises(RuntimeError, match="shape mismatch"):
        attempt(fail)


def test_what_failed_is_not_held_on_to() -> None:
    import weakref

    seen: list[weakref.ref[Tensor]] = []

    def fail() -> None:
        large = torch.ones(10)
        seen.append(weakref.ref(large))
        raise MemoryError

    attempt(fail)
    assert seen[0]() is None


def test_portions_are_halved_once() -> None:
    micro_batches = MicroBatches(None)
    assert [list(part) for part in micro_batches.of("abcde")] == [list("abcde")]
    assert micro_batches.halve_training(5)
    assert [list(part) for part in micro_batches.of("abcde")] == [["a", "b"], ["c", "d"], ["e"]]
    assert not micro_batches.halve_training(5)
    assert not micro_batches.halve_evaluation()
    assert micro_batches == MicroBatches(2, is_halved=True)
    assert not MicroBatches(1).halve_training(8)
    assert not MicroBatches(8).halve_training(1)


class SmallDevice:
    """In place of the loss: no memory for more than `largest` examples, which shows half way."""

    def __init__(self, from_step: int, largest: int = LARGEST) -> None:
        self.from_step, self.largest = from_step, largest
        self.tuning: FineTuning | None = None
        self.failed = 0

    def __call__(self, base: Any, model: Any, examples: Any, **packing: Any) -> Tensor:
        assert self.tuning is not None
        if len(examples) > self.largest and self.tuning.steps >= self.from_step:
            self.failed += 1
            # draws random numbers, and leaves gradients behind
            real_loss(base, model, examples[:1], **packing).backward()
            raise torch.OutOfMemoryError(CUDA_MESSAGE)
        return real_loss(base, model, examples, **packing)


real_loss = loop.summed_cross_entropy


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("family", ["t5", "llama"])
def test_a_step_that_failed_leaves_no_trace_but_smaller_portions(
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    method: str,
) -> None:
    """Bit for bit, with dropout, the run whose micro-batch somebody halved at that step."""
    table = bench(family, dropout=0.1)
    expected = tune(table, method, examples=40)
    losses = expected.advance(16)
    expected.micro_batches.micro_batch = 4
    losses += expected.advance(24)
    weights = {name: p.detach().clone() for name, p in expected.parameters.items()}
    expected.close()

    device = SmallDevice(from_step=2)
    monkeypatch.setattr(loop, "summed_cross_entropy", device)
    device.tuning = tuning = tune(table, method, examples=40)
    assert tuning.advance(40) == losses
    assert device.failed == 1
    assert (tuning.steps, tuning.examples_seen) == (5, 40)
    assert tuning.cost()["micro_batch_examples"] == 4
    assert all(torch.equal(p, weights[name]) for name, p in tuning.parameters.items())


def test_an_optimiser_without_memory_for_its_state_has_changed_nothing(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adam's state of matrices fits, that of the vectors, which come later, does not at first."""
    table = bench("t5", dropout=0.1)
    expected = tune(table, "full", examples=16, micro_batch=4)
    losses = expected.advance(16)
    weights = {name: p.detach().clone() for name, p in expected.parameters.items()}
    expected.close()

    make, failed = optimization._first_state, []

    def first_state(parameter: Any) -> dict[str, Tensor]:
        if parameter.ndim == 1 and not failed:
            failed.append(parameter)
            raise RuntimeError(CPU_MESSAGE)
        return make(parameter)

    monkeypatch.setattr(optimization, "_first_state", first_state)
    tuning = tune(table, "full", examples=16)
    assert tuning.advance(16) == losses
    assert len(failed) == 1
    assert all(torch.equal(p, weights[name]) for name, p in tuning.parameters.items())


def test_a_second_shortage_is_told_with_its_numbers_and_changes_nothing(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], monkeypatch: pytest.MonkeyPatch
) -> None:
    device = SmallDevice(from_step=1, largest=1)
    monkeypatch.setattr(loop, "summed_cross_entropy", device)
    device.tuning = tuning = tune(bench("t5"), "lora")
    tuning.advance(8)
    before = {name: p.detach().clone() for name, p in tuning.parameters.items()}
    random = torch.get_rng_state()
    pattern = (
        r"Out of memory after step 1: requested 2,684,354,560 bytes, peak of the trial [\d,]+ bytes, "
        r"limit of the cpu [\d,]+ bytes, micro-batch 4 examples, evaluation batches in 1 parts, halved once\."
    )
    with pytest.raises(OutOfMemory, match=pattern):
        tuning.advance(8)
    assert device.failed == 2
    assert (tuning.steps, tuning.examples_seen) == (1, 8)
    assert all(torch.equal(p, before[name]) for name, p in tuning.parameters.items())
    assert all(p.grad is None for p in tuning.model.parameters())
    assert torch.equal(torch.get_rng_state(), random)


def test_an_evaluation_goes_on_with_half_batches_and_says_the_same(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = bench("t5", dropout=0.1, taught=True)
    expected = tune(table, "lora")
    wanted = expected.evaluate("validation")
    expected.close()
    greedy, rows = evaluation.greedy, []

    def small(base: Any, model: Any, sources: Any, **options: Any) -> Any:
        if len(sources) > 6:
            raise MemoryError
        return greedy(base, model, sources, **options)

    def spy(ids: Any, *rest: Any, **options: Any) -> Any:
        rows.append(len(ids))
        return padded(ids, *rest, **options)

    from trainables.inference import generate

    padded = generate.padded
    monkeypatch.setattr(evaluation, "greedy", small)
    monkeypatch.setattr(generate, "padded", spy)
    tuning = tune(table, "lora")
    found = tuning.evaluate("validation")
    assert rows == [6, 6]
    assert list(found.examples["prediction"]) == list(wanted.examples["prediction"])
    assert found.loss == pytest.approx(wanted.loss, rel=1e-6)
    tuning.micro_batches.evaluation_parts = 1
    with pytest.raises(OutOfMemory, match="evaluation batches in 1 parts, halved once"):
        tuning.evaluate("validation")


def test_a_trial_that_was_halved_remembers_it(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], tmp_path: Path
) -> None:
    first = tune(bench("t5"), "lora", examples=24)
    first.micro_batches.halve_training(8)
    first.advance(8)
    first.save(tmp_path, {})
    first.close()
    second = tune(bench("t5"), "lora", examples=24)
    second.load(tmp_path)
    assert second.micro_batches == MicroBatches(4, is_halved=True)


@pytest.mark.parametrize("where", ["training", "evaluation"])
def test_a_trial_ends_as_data_and_the_next_one_is_not_harmed(
    assign: Callable[..., Assignment],
    begin: Callable[..., Trial],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    expected = begin(assign(checkpoints=assign().checkpoints + "-other")).next_report()
    trial = begin(assign())
    first = trial.next_report()
    assert first.status == "running"

    def fail(*_: Any, **__: Any) -> Tensor:
        raise torch.OutOfMemoryError(CUDA_MESSAGE)

    with monkeypatch.context() as patch:
        name = "summed_cross_entropy" if where == "training" else "evaluate"
        patch.setattr(loop, name, fail)
        report = trial.next_report()
    assert (report.status, report.rung, report.score) == ("out_of_memory", 1, None)
    assert report.examples == (8 if where == "training" else 24)
    assert "requested 2,684,354,560 bytes" in report.message
    assert report.cost["micro_batch_examples"] == (4 if where == "training" else None)
    assert without_times(begin(assign(checkpoints=assign().checkpoints + "-next")).next_report()) == (
        without_times(expected)
    )


def test_on_a_gpu_the_limit_is_its_share_and_memory_is_free_again(
    gpu: torch.device, make_task: Callable[..., Task], tune: Callable[..., FineTuning]
) -> None:
    table = Workbench(make_task("t5"), data_seed=0)
    _, total = torch.cuda.mem_get_info(gpu)
    before = torch.cuda.memory_allocated(gpu)
    torch.cuda.set_per_process_memory_fraction((before + 2**20) / total, gpu)
    try:
        tuning = tune(table, "full", batch_size=32)
        limit = limit_bytes(gpu)
        with pytest.raises(
            OutOfMemory, match=rf"requested [\d,]+ bytes, .*limit of the cuda {limit:,} bytes"
        ):
            tuning.advance(32)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, gpu)
    tuning.close()
    assert before < limit < before + 2**21
    assert torch.cuda.memory_allocated(gpu) == before
