"""The peers do the same work: the same parameters are trained on the same loss, the same text comes out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
import torch

from benchmarks import training
from benchmarks.evaluation import Sides
from benchmarks.loop_overhead import bare_loop, compare, our_loop
from benchmarks.peers import hp_search, notebook, script
from benchmarks.peers.parts import load_model
from benchmarks.work import METHODS, Work, point
from trainables.loop import FineTuning
from trainables.model import trainable_parameters
from trainables.workbench import Workbench

pytestmark = pytest.mark.filterwarnings("ignore")  # what the peers' users get to see too


@pytest.fixture(scope="module")
def bench(tiny_work: Work) -> Workbench:
    return Workbench(tiny_work.task(), data_seed=0)


@pytest.fixture
def tune(bench: Workbench) -> Iterator[Any]:
    opened: list[FineTuning] = []

    def start(method: str, hyperparameters: dict[str, Any], examples: int) -> FineTuning:
        opened.append(FineTuning(bench, method, hyperparameters, examples=examples, seed=0))
        return opened[-1]

    yield start
    for tuning in opened:
        tuning.close()


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("full", {}),
        ("lora", {}),
        ("lora", {"targets": "attention"}),
        ("prompt_tuning", {}),
        ("prompt_tuning", {"init": "text"}),
    ],
)
def test_the_same_parameters_are_trained(
    tiny_work: Work, tune: Any, method: str, changes: dict[str, Any]
) -> None:
    hyperparameters = point(method, **changes)
    theirs = trainable_parameters(load_model(tiny_work, method, hyperparameters))
    assert trainable_parameters(tune(method, hyperparameters, 8).model) == theirs


def test_the_bare_loop_has_the_losses_of_ours(tiny_work: Work, tune: Any) -> None:
    hyperparameters = point("full", learning_rate=1e-3)
    tuning = tune("full", hyperparameters, 32)
    bare = bare_loop(tiny_work, "full", hyperparameters, tuning.plan)
    ours = list(our_loop(tuning))
    assert len(ours) == 4
    assert len(set(ours)) == 4
    assert list(bare) == pytest.approx(ours, rel=1e-4)


def test_both_loops_go_on_step_beside_step(tiny_work: Work) -> None:
    comparison = compare(tiny_work, "prompt_tuning", rounds=3)
    assert all(len(samples) == 3 for samples in comparison.samples.values())
    assert "%" in comparison.notes["overhead"]


@pytest.mark.parametrize("method", METHODS)
def test_every_side_writes_the_same_tokens(tiny_work: Work, tmp_path: Path, method: str) -> None:
    sides = Sides(tiny_work, method, tmp_path)
    for side in (sides.ours, sides.trainer, sides.notebook):
        assert side().units == 12
    assert sides.equal() == {"Seq2SeqTrainer": 12, "notebook": 12}
    assert len({tuple(tokens) for tokens in sides.tokens["notebook"]}) > 2


def test_the_trainers_take_two_steps_and_learn_the_same(
    tiny_work: Work, bench: Workbench, tmp_path: Path
) -> None:
    hyperparameters = point("full", learning_rate=1e-3)
    rows = tiny_work.rows("train")
    trainers = [
        script.make_trainer(
            tiny_work, "full", hyperparameters, output=str(tmp_path), num_train_epochs=1, logging_steps=1
        ),
        notebook.make_trainer(tiny_work, "full", hyperparameters, rows=rows, output=tmp_path),
    ]
    for trainer in trainers:
        sample = training.trained(trainer, len(rows))
        assert trainer.state.global_step == 2
        assert sample.wall_seconds > 0
    losses = [trainer.state.log_history[-1]["train_loss"] for trainer in trainers]
    tuning = FineTuning(bench, "full", hyperparameters, examples=16, seed=0)
    ours = tuning.advance(16)
    tuning.close()
    # The batches hold other examples, so the losses are alike, not equal.
    assert losses == pytest.approx([sum(ours) / 2] * 2, rel=0.2)


def test_padding_to_512_changes_no_loss(tiny_work: Work, tmp_path: Path) -> None:
    trainer = notebook.make_trainer(
        tiny_work, "full", point("full"), rows=tiny_work.rows("train")[:4], output=tmp_path
    )
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(4)])
    assert batch["input_ids"].shape == batch["labels"].shape == (4, 512)
    with torch.no_grad():
        padded = trainer.model.eval()(**batch).loss
        short = trainer.model(
            input_ids=batch["input_ids"][:, :96],
            attention_mask=batch["attention_mask"][:, :96],
            labels=batch["labels"][:, :24].clone(memory_format=torch.contiguous_format),
        ).loss
    torch.testing.assert_close(padded, short, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_hyperparameter_search_finds_a_point(tiny_work: Work, tmp_path: Path) -> None:
    best = hp_search.search(tiny_work, "lora", tmp_path, trials=2, epochs=1)
    assert 0 <= best.objective <= 100
    assert best.hyperparameters["rank"] in range(4, 65)


@pytest.mark.ray
@pytest.mark.slow
def test_the_script_searches_over_all_methods(tiny_work: Work, tmp_path: Path, cluster: str) -> None:
    ray.init(cluster, log_to_driver=False)
    try:
        results = script.run(tiny_work, tmp_path, trials=3, epochs=1)
    finally:
        ray.shutdown()
    assert results.num_errors == 0
    assert len(results) == 3
    assert {result.config["method"] for result in results} <= set(METHODS)
    assert all(0 <= result.metrics["rougeL"] <= 100 for result in results)
