"""How much a GPU is given to do and how often it is waited for, under the shadow of one: budgets.

A change that gives it more to do says so by changing a number here. `python -m benchmarks.launches` counts
for larger models, and by line.
"""

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch

from tests.shadow_cuda import ShadowCuda
from trainables import loss
from trainables.inference import decoding
from trainables.inference.generate import greedy
from trainables.loop import FineTuning
from trainables.loss import teacher_forced
from trainables.losses import Diverged
from trainables.model import LoadedModel
from trainables.task import Task
from trainables.workbench import Workbench

FAMILIES = ("t5", "llama")
KERNELS = {
    ("t5", "full"): 1245,
    ("t5", "lora"): 2013,
    ("t5", "prompt_tuning"): 1041,
    ("llama", "full"): 612,
    ("llama", "lora"): 891,
    ("llama", "prompt_tuning"): 567,
}
"""Of three training steps in bf16 with dropout, of models of two layers a stack."""


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rows", [slice(0, 4), slice(0, 1)], ids=["padded", "not padded"])
def test_masks_hide_what_those_of_transformers_hide(
    bench: Callable[..., Workbench], family: str, rows: slice, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = bench(family)
    examples = table.encoded("train")[rows]
    table.base.model.eval()  # another test may have left it in training, with dropout
    with torch.no_grad():
        ours, _ = teacher_forced(table.base, table.base.model, examples)
        monkeypatch.setattr(loss, "reading", lambda *_: nullcontext())
        theirs, _ = teacher_forced(table.base, table.base.model, examples)
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_forward_pass_waits_for_a_mask(
    shadow: ShadowCuda, make_task: Callable[..., Task], tune: Callable[..., FineTuning], family: str
) -> None:
    table = Workbench(make_task(family), data_seed=0)
    tuning = tune(table, "lora")
    for rows in (slice(0, 4), slice(0, 1)):
        with shadow.counting() as counts:
            teacher_forced(table.base, tuning.model, table.encoded("train")[rows])
        assert counts.by_operation("synchronisation")["_local_scalar_dense"] == 0


@pytest.mark.parametrize(("family", "method"), KERNELS)
def test_a_training_step_waits_for_nothing_and_launches_no_more_than_before(
    shadow: ShadowCuda,
    make_task: Callable[..., Task],
    tune: Callable[..., FineTuning],
    family: str,
    method: str,
) -> None:
    """However many steps: the device is waited for once, when the clock is read."""
    tuning = tune(Workbench(make_task(family, precision="bf16"), data_seed=0), method, batch_size=4)
    tuning.advance(4)
    with shadow.counting() as counts:
        tuning.advance(12)
    assert counts.by_operation("synchronisation") == {"synchronize": 1}
    assert counts.of("copy to the host") == 3
    assert counts.of("pageable copy") == counts.of("mismatch") == 0
    assert counts.of("kernel") == KERNELS[family, method]


def test_on_a_device_a_loss_that_is_no_number_is_found_before_a_rung_is_told(
    shadow: ShadowCuda, make_task: Callable[..., Task], tune: Callable[..., FineTuning]
) -> None:
    """At the next step, or after the last one."""
    for steps in (4, 1):
        tuning = tune(Workbench(make_task("t5"), data_seed=0), "lora", batch_size=4)
        next(iter(tuning.parameters.values())).data.fill_(torch.nan)
        with pytest.raises(Diverged, match=r"The training loss became nan at step 1\."):
            tuning.advance(4 * steps)
        assert tuning.steps == 1
        tuning.close()


@pytest.mark.parametrize("method", ["lora", "prompt_tuning"])
@pytest.mark.parametrize("family", FAMILIES)
def test_generation_waits_once_in_sixteen_tokens_and_writes_the_same(
    shadow: ShadowCuda,
    make_task: Callable[..., Task],
    tune: Callable[..., FineTuning],
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    method: str,
) -> None:
    tuning = tune(Workbench(make_task(family, taught=True), data_seed=0), method, learning_rate=0.01)
    tuning.advance(16)
    sources = [example.source for example in tuning.bench.encoded("validation")[:6]]
    cap, outputs, waits = 40, [], []
    for stride in (decoding.DEVICE_STRIDE, 1):
        monkeypatch.setattr(decoding, "DEVICE_STRIDE", stride)
        with shadow.counting() as counts:
            outputs.append(greedy(tuning.base, tuning.model.eval(), sources, cap=cap))
        assert counts.of("pageable copy") == 0
        waits.append(counts.of("synchronisation"))
    assert outputs[0] == outputs[1]
    assert len({tuple(row) for row in outputs[0]}) > 1
    # Once for what was written; transformers looks whether a causal model's ids and mask hide anything.
    once_a_batch = {"t5": 1, "llama": 3}[family]
    assert waits[0] <= cap // 16 + once_a_batch < waits[1]


def test_an_evaluation_knows_sources_again_without_a_look_at_the_device(
    shadow: ShadowCuda, make_task: Callable[..., Task], tune: Callable[..., FineTuning]
) -> None:
    tuning = tune(Workbench(make_task("t5"), data_seed=0), "prompt_tuning")
    with shadow.counting() as counts:
        tuning.evaluate("validation", 6)
    waits = counts.by_line("synchronisation")
    assert not any("encoded_once" in line or "reading" in line for line in waits)


def test_all_weights_are_compared_with_one_wait(shadow: ShadowCuda, make_task: Callable[..., Task]) -> None:
    base = LoadedModel(make_task("t5"))
    with shadow.counting() as counts:
        base.restore(base.attach(None, {}))
    assert counts.of("synchronisation") == 1


def test_the_energy_of_a_gpu_is_not_asked_for_at_each_step(
    shadow: ShadowCuda, make_task: Callable[..., Task], tune: Callable[..., FineTuning]
) -> None:
    tuning, asked = tune(Workbench(make_task("t5"), data_seed=0), "lora", batch_size=4), []
    tuning.meter._energy.joules = lambda: asked.append(1)
    tuning.advance(16)
    assert len(asked) == 2
