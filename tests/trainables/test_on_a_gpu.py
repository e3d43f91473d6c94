"""What a trial does on a GPU, under the shadow of one: its checks, its rungs, its checkpoints, its memory."""

import shutil
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import torch
from peft.tuners.lora.layer import Linear as LoraLinear

import spaces
from tests.matrix import PAIRS, TURNS
from tests.shadow_cuda import ShadowCuda
from tests.trainables.checks import ask, check, request
from tests.trainables.test_out_of_memory import SmallDevice, real_loss
from tests.trainables.test_trial import reports, without_times
from trainables import loop
from trainables import trial as trial_module
from trainables.assignment import Assignment
from trainables.cost.latency import merged
from trainables.cost.memory import release_memory
from trainables.device import why_broken
from trainables.loop import FineTuning
from trainables.out_of_memory import OutOfMemory
from trainables.preflight.checks.memory import memory
from trainables.preflight.checks.reload import reload
from trainables.preflight.probe import Probe
from trainables.preflight.room import SHARE_USED
from trainables.task import Task
from trainables.trial import Trial
from trainables.workbench import Workbench

GPU = torch.device("cuda", 0)
TOTAL = 80 * 2**30
ON_T5 = [pair for pair in PAIRS if pair[0] == "t5"]
ONE_EACH = ON_T5 + [pair for pair in TURNS if pair[1] not in {method for _, method in ON_T5}]
"""Each method with T5; those that T5 has no place for with another family."""
DAILY = ("full", "lora", "prompt_tuning", "prefix_tuning", "shira")
"""Methods that differ in how they hold their weights: the whole model, layers, prompts, sparse matrices."""


@pytest.fixture(scope="module")
def machine() -> Iterator[ShadowCuda]:
    with ShadowCuda(TOTAL) as device:
        yield device


@pytest.fixture
def shadow(machine: ShadowCuda) -> Iterator[ShadowCuda]:
    """A GPU on which no operation may mix devices, also where its error is caught."""
    machine.counts.clear()
    yield machine
    assert machine.counts.by_line("mismatch") == {}


@pytest.fixture(scope="module")
def on_gpu(machine: ShadowCuda, make_task: Callable[..., Task]) -> Callable[..., Workbench]:
    """`on_gpu(family, **options of make_task)`: a workbench on the GPU."""

    @cache
    def make(family: str, **options: Any) -> Workbench:
        return Workbench(make_task(family, **options), data_seed=0)

    return make


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("family", "method"),
    [pytest.param(*pair, marks=[] if pair[1] in DAILY else pytest.mark.slow) for pair in ONE_EACH],
)
def test_every_method_passes_every_gate(
    shadow: ShadowCuda, on_gpu: Callable[..., Workbench], family: str, method: str
) -> None:
    findings = ask(on_gpu(family, taught=True), method, costliest=spaces.get(method).default)
    not_passed = {check.name: check.message for check in findings.checks if check.verdict != "pass"}
    if check(findings, "learns").verdict == "warn":  # so small a model moves little at a default's rate
        del not_passed["learns"]
    assert not_passed == {}
    memory = check(findings, "memory").figures
    assert 0 < memory["peak_bytes"] < memory["room_bytes"] <= SHARE_USED["gpu"] * 0.5 * TOTAL
    assert shadow.counts.of("kernel") > 1000


def test_the_memory_check_chooses_for_the_smallest_gpu_that_trials_may_be_given(
    shadow: ShadowCuda, on_gpu: Callable[..., Workbench]
) -> None:
    table, costliest = on_gpu("t5", dropout=0.1), spaces.get("lora").default | {"batch_size": 32}
    here = memory(table, "lora", costliest, 1.0).figures
    assert (here["micro_batch"], here["gpu_bytes"]) == (None, TOTAL)
    smaller = round(0.6 * here["peak_bytes"] / SHARE_USED["gpu"])
    finding = memory(table, "lora", costliest, 1.0, smaller)
    assert finding.figures["gpu_bytes"] == smaller
    assert finding.figures["micro_batch"] == 16
    assert finding.figures["peak_bytes"] <= finding.figures["room_bytes"] < here["peak_bytes"]


def test_in_bf16_with_recomputed_activations_too(
    shadow: ShadowCuda, on_gpu: Callable[..., Workbench]
) -> None:
    table = on_gpu("llama", taught=True, precision="bf16", gradient_checkpointing=True)
    findings = ask(table, "lora")
    assert [check.name for check in findings.checks if check.verdict != "pass"] == []
    assert check(findings, "precision").figures["dtype"] == "bfloat16"


@pytest.mark.parametrize(("method", "precision"), [("full", "fp32"), ("lora", "fp32"), ("lora", "bf16")])
def test_the_reload_check_has_one_model_on_the_device_at_a_time(
    shadow: ShadowCuda, on_gpu: Callable[..., Workbench], method: str, precision: str
) -> None:
    table = on_gpu("t5", taught=True, precision=precision)
    probe = Probe(table, request(table, method))
    probe.attach()
    probe.train(2)
    weights = {id(p): p.detach().cpu() for p in probe.tuning.model.parameters()}
    peaks = [peak_bytes(shadow, work) for work in (probe.answers, partial(reload, probe))]
    kept = {id(p): p.detach().cpu() for p in probe.tuning.model.parameters() if p.device == GPU}
    probe.close()
    model_bytes = sum(weight.nbytes for weight in weights.values())
    assert peaks[1] < peaks[0] + model_bytes / 4
    assert kept.keys() == weights.keys()
    assert all(weight.equal(kept[key]) for key, weight in weights.items())


def peak_bytes(shadow: ShadowCuda, work: Callable[[], Any]) -> int:
    release_memory()
    shadow.memory.forget_peaks()
    work()
    return shadow.memory.most_allocated


def test_the_device_has_its_index_and_all_of_a_trial_is_there(
    shadow: ShadowCuda, on_gpu: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    table = on_gpu("t5", dropout=0.1)
    assert table.base.device == GPU
    tuning = tune(table, "lora")
    tuning.advance(16)
    held = [*tuning.model.parameters(), *tuning.model.buffers(), *tuning.optimization.tensors().values()]
    assert {tensor.device for tensor in held} == {GPU}
    cost = tuning.cost()
    assert 0 < cost["peak_memory_bytes"] <= cost["peak_reserved_memory_bytes"] == shadow.memory.most_reserved


@pytest.mark.parametrize("method", ["full", "lora", "adalora"])
def test_a_trial_that_is_taken_up_again_ends_as_the_unbroken_one(
    shadow: ShadowCuda, assign: Callable[..., Assignment], begin: Callable[..., Trial], method: str
) -> None:
    """Bit for bit with dropout, whose random numbers are the device's."""
    unbroken = reports(begin(assign(method, checkpoints=assign().checkpoints + "-other")), 3)
    assert [report.status for report in unbroken] == ["running", "running", "completed"]
    assert unbroken[2].loss > 0
    before = reports(begin(assign(method)), 2)
    torch.manual_seed(1)
    again = begin(assign(method, rungs_told=2))
    rest = again.next_report()
    assert [without_times(report) for report in [*before, rest]] == [without_times(r) for r in unbroken]
    assert again.tuning.base.device == GPU


def test_a_step_in_fp16_waits_for_the_device_once_more(
    shadow: ShadowCuda, on_gpu: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    """Whether gradients overflowed is asked; in other precisions nothing is."""
    waits = {}
    for precision in ("fp32", "fp16"):
        tuning = tune(on_gpu("llama", precision=precision), "lora")
        tuning.advance(8)
        with shadow.counting() as counts:
            tuning.advance(8)
        waits[precision] = counts.of("synchronisation")
        tuning.close()
    assert waits["fp16"] == waits["fp32"] + 1


def test_a_final_keeps_what_it_trained_and_wrote(
    shadow: ShadowCuda, assign: Callable[..., Assignment], begin: Callable[..., Trial], tmp_path: Path
) -> None:
    final = {"output": str(tmp_path / "final"), "split": "test", "evaluate_at_end_only": True}
    told = reports(begin(assign(**final)), 3)[2]
    assert (told.status, told.message) == ("completed", None)
    assert told.cost["merged_generation_seconds_per_example"] > 0
    assert sorted(path.name for path in (tmp_path / "final").iterdir()) == ["adapter", "predictions.parquet"]


def test_what_its_latency_takes_is_not_in_the_peak_of_a_final(
    shadow: ShadowCuda,
    assign: Callable[..., Assignment],
    begin: Callable[..., Trial],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = []

    def hungry(*_: Any, **__: Any) -> dict[str, Any]:
        taken.append(torch.empty(2**26, dtype=torch.uint8, device=GPU))
        return {"generation_seconds_per_example": 1.0}

    monkeypatch.setattr(trial_module, "latency", hungry)
    told = begin(assign(rungs=[8], output=str(tmp_path / "final"), evaluate_at_end_only=True)).next_report()
    assert told.cost["generation_seconds_per_example"] == 1.0
    assert 0 < told.cost["peak_memory_bytes"] < 2**26


def test_merging_takes_no_second_copy_of_the_weights(
    shadow: ShadowCuda, on_gpu: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    model = tune(on_gpu("t5", dropout=0.1), "lora", targets="all-linear").model
    release_memory()
    before = shadow.memory.allocated
    shadow.memory.forget_peaks()
    with merged(model) as is_merged:
        assert is_merged
        assert shadow.memory.allocated == before
    largest = max(p.nbytes for p in model.parameters())
    assert shadow.memory.allocated == before
    assert shadow.memory.most_allocated <= before + 3 * largest


@pytest.mark.usefixtures("shadow")
@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory."), torch.linalg.LinAlgError()])
@pytest.mark.parametrize("where", ["merge", "unmerge"])
def test_a_final_that_cannot_be_merged_has_a_dash_for_it(
    assign: Callable[..., Assignment],
    begin: Callable[..., Trial],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    error: Exception,
) -> None:
    following = assign(checkpoints=assign().checkpoints + "-next")
    expected = begin(following).next_report()
    shutil.rmtree(following.checkpoints)
    trial = begin(assign(rungs=[8], output=str(tmp_path / "final"), evaluate_at_end_only=True))
    merge, calls = getattr(LoraLinear, where), []

    def merges_one_layer(layer: LoraLinear, *arguments: Any, **options: Any) -> None:
        calls.append(layer)
        if len(calls) > 1:
            raise error
        merge(layer, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(LoraLinear, where, merges_one_layer)
        told = trial.next_report()
    assert len(calls) > 1
    assert (told.status, told.message) == ("completed", None)
    assert told.cost["generation_seconds_per_example"] > 0
    is_known = told.cost["merged_generation_seconds_per_example"] is not None
    assert is_known == (where == "unmerge")
    assert (tmp_path / "final" / "adapter" / "adapter_model.safetensors").exists()
    pretrained = trial.tuning.base.pretrained().state_dict()
    for name, module in trial.tuning.model.named_modules():
        if isinstance(module, LoraLinear):
            original = pretrained[f"{name.removeprefix('base_model.model.')}.weight"]
            assert not module.merged
            assert module.base_layer.weight.cpu().equal(original)
    assert without_times(begin(following).next_report()) == without_times(expected)


BESIDE_TORCH = (
    torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be asynchronous"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
)
"""Where the memory that CUDA and cuBLAS take beside torch's is not there."""


@pytest.mark.parametrize("error", BESIDE_TORCH, ids=["CUDA", "cuBLAS"])
def test_memory_that_libraries_lack_is_a_shortage_too(
    shadow: ShadowCuda,
    assign: Callable[..., Assignment],
    begin: Callable[..., Trial],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    monkeypatch.setattr(loop, "summed_cross_entropy", Failing(error))
    told = begin(assign()).next_report()
    assert (told.status, told.cost["micro_batch_examples"]) == ("running", 4)


def test_an_error_that_loses_the_context_is_no_shortage_whatever_it_says(
    shadow: ShadowCuda,
    assign: Callable[..., Assignment],
    begin: Callable[..., Trial],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "summed_cross_entropy", Failing(BESIDE_TORCH[1], shadow))
    trial = begin(assign())
    assert why_broken() is None
    try:
        with pytest.raises(torch.AcceleratorError, match="an illegal memory access was encountered"):
            trial.next_report()
        assert why_broken() == "CUDA error: an illegal memory access was encountered"
    finally:
        shadow.error = None  # for the tests after this one; a true process would end


def test_a_model_that_does_not_fit_its_share_is_out_of_memory_with_the_numbers(
    shadow: ShadowCuda, assign: Callable[..., Assignment]
) -> None:
    assignment = assign(data_seed=1)
    shadow.memory.share = (shadow.memory.allocated + 2**14) / TOTAL
    try:
        with pytest.raises(OutOfMemory, match=r"^Out of memory while loading: requested [\d,]+ bytes\.$"):
            Trial(assignment)
    finally:
        shadow.memory.share = 1.0


class Failing:
    """In place of the loss: fails once, in a context that is lost where a device is given."""

    def __init__(self, error: Exception, device: ShadowCuda | None = None) -> None:
        self.error, self.device, self.calls = error, device, 0

    def __call__(self, *given: Any, **packing: Any) -> torch.Tensor:
        self.calls += 1
        if self.calls > 1:
            return real_loss(*given, **packing)
        if self.device is not None:
            self.device.lose_context("an illegal memory access was encountered")
        raise self.error


def test_a_trial_that_runs_out_of_memory_ends_with_the_numbers(
    shadow: ShadowCuda,
    assign: Callable[..., Assignment],
    begin: Callable[..., Trial],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device = SmallDevice(from_step=1, largest=1)
    monkeypatch.setattr(loop, "summed_cross_entropy", device)
    trial = begin(assign())
    device.tuning = trial.tuning
    told = [trial.next_report(), trial.next_report()]
    assert [report.status for report in told] == ["running", "out_of_memory"]
    peak = trial.tuning.meter.peak_memory_bytes
    assert told[1].message.startswith(
        f"Out of memory after step 1: requested 2,684,354,560 bytes, peak of the trial {peak:,} bytes, "
        f"limit of the cuda {TOTAL:,} bytes, micro-batch 4 examples"
    )
    monkeypatch.undo()
    following = begin(assign(checkpoints=assign().checkpoints + "-next"))
    assert following.next_report().status == "running"
