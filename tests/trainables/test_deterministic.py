"""`task.deterministic`: what a process computes twice has the same bits, also on a GPU."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from tests.trainables.checks import check, failed
from tests.trainables.test_preflight_checks import attention, with_fault
from tests.trainables.test_trial import reports, without_times
from trainables.assignment import Assignment
from trainables.device import set_deterministic
from trainables.methods import Model
from trainables.preflight.examine import answer
from trainables.preflight.findings import Findings
from trainables.preflight.request import Request
from trainables.task import Task
from trainables.trial import Trial
from trainables.workbench import Workbench


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def task(make_task: Callable[..., Task]) -> Task:
    return make_task("llama", taught=True, max_target_tokens=12, deterministic=True)


@pytest.mark.usefixtures("gpu")
def test_a_trial_that_is_run_twice_reports_the_same_to_the_last_bit(
    assign: Callable[..., Assignment], begin: Callable[..., Trial], task: Task
) -> None:
    """On the shadow of a GPU this shows that cuBLAS is told in time."""
    told = []
    for run in ("first", "second"):
        trial = begin(assign("full", task=task, checkpoints=assign().checkpoints + run))
        assert torch.are_deterministic_algorithms_enabled()
        told.append([without_times(report) for report in reports(trial, 3)])
    assert told[0] == told[1]


def test_the_next_task_of_a_process_is_as_it_asks_itself(
    assign: Callable[..., Assignment], begin: Callable[..., Trial], task: Task
) -> None:
    begin(assign(task=task))
    assert torch.are_deterministic_algorithms_enabled()
    begin(assign())
    assert not torch.are_deterministic_algorithms_enabled()


def test_preflight_checks_compute_as_trials_will(task: Task, assign: Callable[..., Assignment]) -> None:
    request: dict[str, Any] = {
        "method": "lora",
        "hyperparameters": assign().hyperparameters,
        "costliest": assign().hyperparameters,
        "task": task,
        "data_seed": 0,
        "data_fingerprint": assign().data_fingerprint,
        "cpus": 1,
        "memory_share": 0.5,
    }
    assert failed(Findings(checks=[*answer(Request.model_validate(request))])) == []
    assert torch.are_deterministic_algorithms_enabled()


def test_a_method_without_a_deterministic_algorithm_is_refused_with_the_key(
    bench: Callable[..., Workbench],
) -> None:
    def attach(model: Model) -> Model:
        attached = attention(model)
        attached.register_forward_pre_hook(
            lambda *_: torch.zeros(2).put_(torch.tensor([0]), torch.ones(1))  # refused on every device
        )
        return attached

    set_deterministic(True)
    findings = with_fault(bench("llama", taught=True), attach)
    (name,) = failed(findings)
    assert check(findings, name).message == (
        "put_ does not have a deterministic implementation on this device. "
        "Set task.deterministic to false, or leave the method out."
    )


def test_a_workspace_that_the_user_chose_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    set_deterministic(True)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
