"""Tasks of tiny models, and trials of them that are closed when the test ends."""

import gc
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

import spaces
from tests.tiny import PROMPT
from trainables.loop import FineTuning
from trainables.task import Task
from trainables.workbench import Workbench


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


@pytest.fixture
def tune(bench: Callable[..., Workbench]) -> Iterator[Callable[..., FineTuning]]:
    """`tune(bench, method, examples=64, seed=0, **hyperparameters)`: closed when the test ends."""
    opened: list[FineTuning] = []

    def start(
        bench: Workbench, method: str, *, examples: int = 64, seed: int = 0, **changes: Any
    ) -> FineTuning:
        hyperparameters = {**spaces.get(method).default, **changes}
        opened.append(FineTuning(bench, method, hyperparameters, examples=examples, seed=seed))
        return opened[-1]

    yield start
    for tuning in opened:
        if hasattr(tuning, "model"):
            tuning.close()
