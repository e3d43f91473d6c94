"""What single methods do with their hyperparameters; what all have in common is in test_methods.py."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from torch import nn

import spaces
from trainables.loop import FineTuning
from trainables.workbench import Workbench

FAMILIES = ("t5", "bart", "llama")


def points(method: str) -> list[dict[str, Any]]:
    """Points of a method's space that together have every choice and both ends of every range."""

    def values(dimension: BaseDistribution) -> tuple[Any, ...]:
        if isinstance(dimension, CategoricalDistribution):
            return dimension.choices
        assert isinstance(dimension, FloatDistribution | IntDistribution)
        return (dimension.low, dimension.high)

    space = {key: values(dimension) for key, dimension in spaces.get(method).distributions.items()}
    return [
        {key: choices[i % len(choices)] for key, choices in space.items()}
        for i in range(max(map(len, space.values())))
    ]


@pytest.mark.parametrize("method", spaces.available())
def test_every_choice_and_both_ends_of_a_space_can_be_trained(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], method: str
) -> None:
    for point in points(method):
        tuning = tune(bench("t5"), method, examples=8, **point)
        assert tuning.advance(8), point
        tuning.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_loras_rank_scale_and_dropout(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    model = tune(bench(family), "lora", rank=6, alpha_ratio=4, dropout=0.05).model
    layers = [module for module in model.modules() if hasattr(module, "lora_A")]
    assert layers
    for layer in layers:
        assert layer.lora_A["default"].weight.shape == (6, layer.in_features)
        assert layer.lora_B["default"].weight.shape == (layer.out_features, 6)
        assert layer.scaling["default"] == 4
        assert layer.lora_dropout["default"].p == 0.05


def soft_prompt(tuning: FineTuning) -> nn.Parameter:
    (parameter,) = tuning.parameters.values()
    return parameter


@pytest.mark.parametrize("family", FAMILIES)
def test_a_soft_prompt_from_the_vocabulary_is_made_of_its_embeddings(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    table = bench(family)
    prompt = soft_prompt(tune(table, "prompt_tuning", init="vocab", virtual_tokens=7))
    words = table.base.model.get_input_embeddings().weight
    assert prompt.shape == (7, words.shape[1])
    assert all((words == row).all(dim=1).any() for row in prompt)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_soft_prompt_from_a_text_repeats_the_instruction(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    table = bench(family)
    prompt = soft_prompt(tune(table, "prompt_tuning", init="text", virtual_tokens=40))
    tokens = table.base.tokenizer("Summarize: Summary:")["input_ids"]
    repeated = (tokens * 40)[:40]
    assert torch.equal(prompt, table.base.model.get_input_embeddings().weight[repeated])
