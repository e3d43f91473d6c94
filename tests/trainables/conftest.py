"""Tasks of tiny models, and trials of them that are closed when the test ends."""

import gc
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import spaces
from tests.shadow_cuda import ShadowCuda
from tests.tiny import PLACES, PROMPT
from trainables.assignment import Assignment
from trainables.data import load
from trainables.device import own_device
from trainables.loop import FineTuning
from trainables.task import Task
from trainables.trial import Trial
from trainables.workbench import Workbench

RUNGS = [8, 24, 32]


@pytest.fixture(scope="session", autouse=True)
def short_collections() -> None:
    """Each trial collects garbage: what the libraries made at import need not be walked through each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def make_task(model_folder: Callable[..., str], data_files: dict[str, str]) -> Callable[..., Task]:
    """`make_task(family, dropout=0.1, taught=False, **fields)`: a task of a tiny model and the corpus."""

    def make(family: str, *, dropout: float = 0.1, taught: bool = False, **fields: Any) -> Task:
        usual = {
            "model": model_folder(family, dropout, taught),
            "data": data_files,
            "source": "dialogue",
            "target": "summary",
            "prompt": PROMPT,
            "max_source_tokens": 96,
            "max_target_tokens": 24,
            "precision": "fp32",
        }
        return Task(**usual | fields)

    return make


@pytest.fixture(scope="session")
def bench(make_task: Callable[..., Task]) -> Callable[..., Workbench]:
    """`bench(family, **options of make_task)`: made once, kept for all tests."""

    @cache
    def make(family: str, **options: Any) -> Workbench:
        return Workbench(make_task(family, **options), data_seed=0)

    return make


@pytest.fixture(scope="session")
def labelled(corpus: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The corpus, the place of the lost thing as its label."""
    folder = tmp_path_factory.mktemp("labelled")
    for split, rows in corpus.items():
        table = pd.DataFrame({"dialogue": [row["dialogue"] for row in rows]})
        table["summary"] = [next(p for p in PLACES if f"the {p}." in d) for d in table["dialogue"]]
        table.to_json(folder / f"{split}.jsonl", orient="records", lines=True)
    return {split: str(folder / f"{split}.jsonl") for split in corpus}


@pytest.fixture
def gpu() -> Iterator[torch.device]:
    """A true GPU where there is one, else the shadow of one."""
    with nullcontext() if torch.cuda.is_available() else ShadowCuda():
        yield own_device()


@pytest.fixture
def shadow() -> Iterator[ShadowCuda]:
    """The shadow of a GPU, to be counted on."""
    with ShadowCuda() as device:
        yield device


@pytest.fixture
def tune(bench: Callable[..., Workbench]) -> Iterator[Callable[..., FineTuning]]:
    """`tune(bench, method, examples=64, seed=0, micro_batch=None, **hyperparameters)`: closed at the end."""
    opened: list[FineTuning] = []

    def start(bench: Workbench, method: str, *, examples: int = 64, **changes: Any) -> FineTuning:
        options = {"seed": 0} | {key: changes.pop(key) for key in ("seed", "micro_batch") if key in changes}
        hyperparameters = {**spaces.get(method).default, **changes}
        opened.append(FineTuning(bench, method, hyperparameters, examples=examples, **options))
        return opened[-1]

    yield start
    for tuning in opened:
        if hasattr(tuning, "model"):
            tuning.close()


@pytest.fixture
def assign(make_task: Callable[..., Task], tmp_path: Path) -> Callable[..., Assignment]:
    """`assign(method="lora", **changes)`: a trial of a tiny Llama in three rungs."""
    task = make_task("llama", taught=True, max_target_tokens=12)
    fingerprint = load(task, seed=0).fingerprint

    def make(method: str | None = "lora", **changes: Any) -> Assignment:
        usual = {
            "trial": f"{method}/0001",
            "task": task,
            "data_seed": 0,
            "data_fingerprint": fingerprint,
            "method": method,
            "hyperparameters": spaces.get(method).default if method else {},
            "seed": 7,
            "rungs": RUNGS,
            "rungs_told": 0,
            "split": "validation",
            "evaluation_limit": 3,
            "evaluate_at_end_only": False,
            "checkpoints": str(tmp_path / "checkpoints"),
            "output": None,
            "cpus": 1,
        }
        return Assignment(**usual | changes)

    return make


@pytest.fixture
def begin() -> Iterator[Callable[[Assignment], Trial]]:
    """`begin(assignment)` is what a worker does, which before that closes the trial that it had."""
    current: list[Trial] = []

    def make(assignment: Assignment) -> Trial:
        while current:
            current.pop().close()
        # As Ray would bring it: through plain data.
        current.append(Trial(Assignment.model_validate(assignment.model_dump())))
        return current[-1]

    yield make
    while current:
        current.pop().close()
