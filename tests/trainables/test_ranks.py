"""AdaLoRA's ranks are allocated as peft's own allocator does it, in few kernels and without a wait."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch

from tests.shadow_cuda import ShadowCuda
from trainables.loop import FineTuning
from trainables.task import Task
from trainables.workbench import Workbench

RANKS = {"target_rank": 3, "initial_phase": 0.1, "final_phase": 0.2}


@pytest.mark.parametrize("family", ["t5", "llama"])
def test_ranks_are_bit_for_bit_those_of_pefts_allocator(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    """Over a whole schedule of made-up gradients: importance, singular values, and which are left."""
    tuning = tune(bench(family), "adalora", examples=160, **RANKS)
    theirs, random, left = deepcopy(tuning.model), torch.Generator().manual_seed(0), set()
    pairs = list(zip(tuning.model.named_parameters(), theirs.parameters(), strict=True))
    trained = [(mine, yours) for (_, mine), yours in pairs if mine.requires_grad]
    for step in range(len(tuning.plan)):
        for mine, yours in trained:
            mine.grad = torch.randn(mine.shape, generator=random)
            yours.grad = mine.grad.clone()
            for p in (mine, yours):
                p.data -= 0.1 * p.grad
        tuning.callback.after_step(step)
        theirs.base_model.update_and_allocate(step)
        scores = tuning.callback.tensors()
        for kind in ("exp_avg_ipt", "exp_avg_unc"):
            wanted = getattr(theirs.base_model.rankallocator, kind)
            assert all(torch.equal(scores[f"{kind}/{name}"], value) for name, value in wanted.items())
            assert len(wanted) == sum(key.startswith(kind) for key in scores)
        assert all(torch.equal(mine, yours) for mine, yours in trained)
        pattern = theirs.active_peft_config.rank_pattern or {}
        assert {f"kept/{name}": rows for name, rows in pattern.items()} == {
            key: value.tolist() for key, value in scores.items() if key.startswith("kept/")
        }
        left.add(sum(map(sum, pattern.values())))
    assert len(left) > 5


def test_an_allocating_step_waits_for_nothing(
    shadow: ShadowCuda, make_task: Callable[..., Task], tune: Callable[..., FineTuning]
) -> None:
    """Before ranks are taken, while they are, when the last are, and after that."""
    tuning = tune(Workbench(make_task("t5"), data_seed=0), "adalora", examples=48, **RANKS)
    with shadow.counting() as counts:
        tuning.advance(48)
    assert tuning.callback.ranks.kept is not None
    assert counts.by_operation("synchronisation") == {"synchronize": 1}
    kernels = counts.by_line("kernel").items()
    ours = sum(count for line, count in kernels if "_ranks.py" in line or "copy_all" in line)
    assert ours < 50 * len(tuning.plan)
