"""What a process keeps from trial to trial is made once, and is the same for all trials."""

from collections.abc import Callable
from pathlib import Path

import pytest

from trainables.data import load
from trainables.errors import InputError
from trainables.loop import FineTuning
from trainables.task import Task
from trainables.workbench import Workbench, workbench


@pytest.fixture
def task(make_task: Callable[..., Task]) -> Task:
    return make_task("llama")


def test_the_bench_of_a_task_is_made_once(task: Task) -> None:
    fingerprint = load(task, seed=0).fingerprint
    bench = workbench(task.model_dump_json(), 0, fingerprint)
    assert bench.task == task
    assert workbench(task.model_dump_json(), 0, fingerprint) is bench


def test_other_data_than_the_drivers_is_refused(task: Task) -> None:
    fingerprint = load(task, seed=0).fingerprint
    message = rf"The data loaded here \(fingerprint {fingerprint}\) is not that of the sweep \(0123\)"
    with pytest.raises(InputError, match=message):
        workbench(task.model_dump_json(), 0, "0123")


def test_a_file_that_changed_is_refused(
    tmp_path: Path, make_task: Callable[..., Task], data_files: dict[str, str]
) -> None:
    train = tmp_path / "train.jsonl"
    train.write_text(Path(data_files["train"]).read_text())
    task = make_task("llama", data={**data_files, "train": str(train)})
    fingerprint = load(task, seed=0).fingerprint
    train.write_text(train.read_text().replace("lamp", "lump", 1))
    with pytest.raises(InputError, match="Was a file changed while the sweep ran"):
        workbench(task.model_dump_json(), 0, fingerprint)


def test_a_split_is_tokenised_once(task: Task) -> None:
    bench = Workbench(task, data_seed=0)
    assert bench.encoded("train") is bench.encoded("train")
    assert len(bench.encoded("train")) == len(bench.data.train) == 48


def test_a_subset_has_the_size_asked_for_and_is_the_same_for_every_trial(
    task: Task, tune: Callable[..., FineTuning]
) -> None:
    bench = Workbench(task, data_seed=0)
    subset = bench.subset("validation", 5)
    ids = [example.id for example, _ in subset]
    assert len(set(ids)) == 5
    assert ids == [example.id for example in bench.data.validation if example.id in ids]
    for method, seed in (("full", 1), ("lora", 2)):
        tuning = tune(bench, method, seed=seed)
        tuning.advance(8)
        assert list(tuning.evaluate("validation", 5).examples["id"]) == ids
        tuning.close()
    assert [example.id for example, _ in Workbench(task, data_seed=0).subset("validation", 5)] == ids


def test_the_seed_of_the_data_chooses_the_subset(task: Task) -> None:
    choices = [tuple(e.id for e, _ in Workbench(task, seed).subset("validation", 5)) for seed in range(4)]
    assert len(set(choices)) > 1


def test_no_example_is_scored_twice(task: Task) -> None:
    bench = Workbench(task, data_seed=0)
    for limit in range(1, 12):
        assert len({example.id for example, _ in bench.subset("validation", limit)}) == limit


@pytest.mark.parametrize("limit", [None, 12, 500])
def test_without_a_limit_that_cuts_all_examples_are_scored_in_order(task: Task, limit: int | None) -> None:
    bench = Workbench(task, data_seed=0)
    assert [e for e, _ in bench.subset("validation", limit)] == bench.data.validation


def test_tokens_stand_beside_their_examples(task: Task) -> None:
    bench = Workbench(task, data_seed=0)
    for example, encoded in bench.subset("validation", 5):
        assert bench.base.encoder.encode([example]) == [encoded]
