"""What single methods do with their hyperparameters; what all have in common is in test_methods.py."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from torch import Tensor, nn
from transformers import T5Config, T5ForConditionalGeneration

import spaces
from tests.matrix import FAMILIES, PAIRS
from tests.tiny import random_model
from trainables import methods
from trainables.inference.generate import forced_logits
from trainables.loop import FineTuning
from trainables.methods.adalora import orthogonality
from trainables.targets import resolve, shapes
from trainables.workbench import Workbench

FAMILY_OF = {method: family for family, method in reversed(PAIRS)}
"""The first family that each method is for."""


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
        tuning = tune(bench(FAMILY_OF[method]), method, examples=8, **point)
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


def side(count: int) -> int:
    """The smaller factor of LoKr's split of a width, of the divisors nearest to its root."""
    return max(n for n in range(1, math.isqrt(count) + 1) if count % n == 0)


def lokr_parameters(inputs: int, outputs: int, rank: int) -> int:
    small_in, small_out = side(inputs), side(outputs)
    large_in, large_out = inputs // small_in, outputs // small_out
    is_closed = rank >= max(large_in, large_out) / 2
    return small_in * small_out + (large_in * large_out if is_closed else rank * (large_in + large_out))


COUNTS: dict[str, tuple[dict[str, Any], Callable[[int, int], float]]] = {
    "lora": ({"rank": 6}, lambda i, o: 6 * (i + o)),
    "rslora": ({"rank": 9}, lambda i, o: 9 * (i + o)),
    "pissa": ({"rank": 6}, lambda i, o: 6 * (i + o)),
    "dora": ({"rank": 6}, lambda i, o: 6 * (i + o) + o),
    "adalora": ({"target_rank": 6}, lambda i, o: 9 * (i + o + 1)),
    "vera": ({"rank": 70}, lambda i, o: 70 + o),
    "loha": ({"rank": 6}, lambda i, o: 2 * 6 * (i + o)),
    "lokr": ({"rank": 4}, lambda i, o: lokr_parameters(i, o, 4)),
    "oft": ({"block_size": 8}, lambda i, o: i * (8 - 1) / 2),
    "miss": ({"rank": 9}, lambda i, o: 9 * o),
    "hra": ({"reflections": 4}, lambda i, o: 4 * i),
    "fourierft": ({"frequencies": 111}, lambda i, o: 111),
    "shira": ({"rank": 5}, lambda i, o: 5 * (i + o)),
}
"""For methods that adapt linear layers: a layer's parameters by its inputs and outputs, as the papers say."""


@pytest.mark.parametrize("method", COUNTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_layers_parameters_are_as_many_as_the_paper_says(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> None:
    table = bench(family)
    changes, count = COUNTS[method]
    for role in ("attention", "all-linear"):
        layers = shapes(table.base.model, resolve(table.base.model, role))
        tuning = tune(table, method, targets=role, **changes)
        assert tuning.cost()["trainable_parameters"] == sum(count(i, o) for i, o in layers)
        tuning.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_parameters_of_soft_prompts_and_prefixes(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    """Of 12 tokens, on models of width 32 with two (decoder) layers, whose keys are 32 or 16 wide."""
    keys = {"t5": 32, "bart": 32, "llama": 16}[family]
    network = 32 * 128 + 128 + 128 * 128 + 128 + 128 * 32 + 32
    prefix_network = 12 * keys + keys * 512 + 512 + 512 * 2 * 2 * keys + 2 * 2 * keys
    for method, changes, count in (
        ("prompt_tuning", {}, 12 * 32),
        ("p_tuning", {"hidden": 128}, 12 * 32 + network),
        ("prefix_tuning", {"projection": "none"}, 12 * 2 * 2 * keys),
        ("prefix_tuning", {"projection": "mlp"}, prefix_network),
    ):
        tuning = tune(bench(family), method, virtual_tokens=12, **changes)
        assert tuning.cost()["trainable_parameters"] == count, method
        tuning.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_small_parts_of_the_model_itself(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    """Scales by the layers they stand at; norms by those of the model."""
    table = bench(family)
    model = table.base.model
    scales = sum(o for _, o in shapes(model, resolve(model, "keys-values")))
    scales += sum(i for i, _ in shapes(model, resolve(model, "feed-forward-out")))
    norms = sum(p.numel() for name in resolve(model, "norms") for p in model.get_submodule(name).parameters())
    for method, count in (("ia3", scales), ("ln_tuning", norms)):
        tuning = tune(table, method)
        assert tuning.cost()["trainable_parameters"] == count
        tuning.close()


def test_bitfit_trains_every_bias_and_nothing_else(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    tuning = tune(bench("bart"), "bitfit")
    names = {name for name, _ in tuning.model.named_parameters()}
    assert tuning.parameters.keys() == {name for name in names if name.endswith(".bias")}
    assert all(p.ndim == 1 for p in tuning.parameters.values())


def test_the_head_of_an_untied_t5_is_trained_alone(bench: Callable[..., Workbench]) -> None:
    model = random_model("t5", 200, 0.0).requires_grad_(False)
    model.lm_head.weight = nn.Parameter(model.lm_head.weight.clone(), requires_grad=False)
    attached = methods.get("head_only")(model, {}, bench("t5").task)
    assert [name for name, p in attached.named_parameters() if p.requires_grad] == ["lm_head.weight"]


@pytest.mark.parametrize(
    ("family", "last"),
    [("t5", "decoder.block.1."), ("bart", "model.decoder.layers.1."), ("llama", "model.layers.1.")],
)
@pytest.mark.parametrize(("share", "blocks"), [(0.125, 1), (0.5, 1), (1.0, 2)])
def test_the_last_blocks_of_the_decoder_are_trained(
    bench: Callable[..., Workbench],
    tune: Callable[..., FineTuning],
    family: str,
    last: str,
    share: float,
    blocks: int,
) -> None:
    trained = tune(bench(family), "top_layers", share=share).parameters.keys()
    stems = (last, last.replace("1", "0"))[:blocks]
    every = {name for name, _ in bench(family).base.model.named_parameters()}
    assert trained == {name for name in every if name.startswith(stems)}


def first_layer(tuning: FineTuning) -> Any:
    return next(module for module in tuning.model.modules() if hasattr(module, "lora_A"))


@pytest.mark.parametrize("family", FAMILIES)
def test_rsloras_scale_is_alpha_by_the_root_of_the_rank(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    layer = first_layer(tune(bench(family), "rslora", rank=9, alpha=16))
    assert layer.scaling["default"] == pytest.approx(16 / 3)


@pytest.mark.parametrize("family", FAMILIES)
def test_pissa_begins_at_the_largest_singular_values_and_changes_nothing_yet(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    table = bench(family)
    name = resolve(table.base.model, "attention")[0]
    weight = table.base.model.get_submodule(name).weight.detach().clone()
    tuning = tune(table, "pissa", rank=5, targets="attention")
    layer = tuning.model.get_base_model().get_submodule(name)
    update = layer.get_delta_weight("default").detach()
    torch.testing.assert_close(layer.base_layer.weight + update, weight, rtol=0, atol=1e-5)
    values, expected = torch.linalg.svdvals(update), torch.linalg.svdvals(weight)
    torch.testing.assert_close(values[:5], expected[:5], rtol=1e-4, atol=1e-5)
    assert values[5:].max() < 1e-4


@pytest.mark.parametrize("family", FAMILIES)
def test_doras_magnitudes_begin_as_the_norms_of_the_weights(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    layer = first_layer(tune(bench(family), "dora"))
    norms = layer.base_layer.weight.detach().norm(dim=1)
    torch.testing.assert_close(layer.lora_magnitude_vector["default"].weight.detach(), norms)


def test_keys_narrower_or_wider_than_t5_itself_get_a_prefix(bench: Callable[..., Workbench]) -> None:
    """As in FLAN-T5-small, whose 6 heads of 64 are not the model's 512."""
    sizes = {"d_model": 32, "num_heads": 3, "d_kv": 16, "num_layers": 1, "num_decoder_layers": 2}
    model = T5ForConditionalGeneration(T5Config(vocab_size=50, d_ff=64, decoder_start_token_id=0, **sizes))
    point = spaces.get("prefix_tuning").default | {"virtual_tokens": 7, "projection": "none"}
    attached = methods.get("prefix_tuning")(model, point, bench("t5").task)
    assert sum(p.numel() for p in attached.parameters() if p.requires_grad) == 7 * 2 * 2 * 48
    ids = torch.arange(1, 7).reshape(2, 3)
    assert attached(input_ids=ids, decoder_input_ids=ids).logits.shape == (2, 3, 50)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", ["prompt_tuning", "p_tuning", "prefix_tuning"])
def test_a_trained_prompt_writes_the_same_for_a_source_alone_and_among_longer_ones(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> None:
    """Padding on the left must not come between soft prompt and source, nor count as places."""
    table = bench(family, dropout=0.0, taught=True)
    tuning = tune(table, method, examples=32, learning_rate=0.01)
    tuning.advance(32)
    tuning.model.eval()
    encoded = sorted(table.encoded("validation"), key=lambda example: example.length)
    shortest, longest = encoded[0], encoded[-1]
    assert len(shortest.source) < len(longest.source)

    def logits(*examples: Any) -> Tensor:
        sources, targets = [e.source for e in examples], [shortest.target] * len(examples)
        return forced_logits(table.base, tuning.model, sources, targets)[0]

    torch.testing.assert_close(logits(shortest), logits(shortest, longest), rtol=1e-3, atol=1e-3)


def kept(tuning: FineTuning) -> int:
    """Singular values that are not zero, over all matrices."""
    return sum(int((p != 0).sum()) for name, p in tuning.parameters.items() if ".lora_E." in name)


@pytest.mark.parametrize("family", FAMILIES)
def test_adaloras_ranks_follow_the_planned_budget_and_end_at_the_target(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    """Of 20 steps: 4 with all ranks, then the paper's cubic schedule, 5 with those that are left."""
    phases = {"initial_phase": 0.2, "final_phase": 0.25, "warmup_ratio": 0.0}
    tuning = tune(bench(family), "adalora", examples=160, target_rank=4, learning_rate=0.01, **phases)
    matrices = sum(".lora_E." in name for name in tuning.parameters)
    counts = []
    for _ in range(20):
        tuning.advance(8)
        counts.append(kept(tuning))
    whole, target = 6 * matrices, 4 * matrices
    assert counts[:5] == [whole] * 5
    expected = [int((whole - target) * (1 - (step - 4) / 11) ** 3 + target) for step in range(5, 15)]
    assert counts[5:15] == expected
    assert counts[15:] == [target] * 5


def test_adaloras_penalty_is_pefts_and_drives_the_weights_but_not_the_loss(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    table, runs = bench("t5", dropout=0.0), {}
    for weight in (0.1, 0.5):
        tuning = tune(table, "adalora", examples=24, orthogonality=weight, dropout=0.0, learning_rate=0.003)
        ids = torch.tensor([table.encoded("train")[0].source])
        output = tuning.model.eval()(input_ids=ids, labels=ids)
        plain = nn.functional.cross_entropy(output.logits.flatten(0, 1), ids.flatten())
        penalty = weight * orthogonality(tuning.model)
        torch.testing.assert_close(output.loss - plain, penalty)
        vectors = [p for name, p in tuning.parameters.items() if ".lora_A." in name]
        first = [p.detach().clone() for p in vectors]
        losses = tuning.advance(24)
        runs[weight] = losses, sum((p - q).abs().sum().item() for p, q in zip(vectors, first, strict=True))
        tuning.close()
    assert runs[0.1][0][0] == runs[0.5][0][0]
    assert runs[0.1][1] > 0


def test_adaloras_allocator_goes_on_from_a_checkpoint(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], tmp_path: Path
) -> None:
    """In the middle of taking ranks away, and when that is done: all weights end as they would have."""
    options = {"examples": 96, "target_rank": 4, "learning_rate": 0.01}
    ends = []
    for stop in (96, 48, 80):
        tuning = tune(bench("t5"), "adalora", **options)
        tuning.advance(stop)
        if stop < 96:
            tuning.save(tmp_path / str(stop), {})
            tuning.close()
            tuning = tune(bench("t5"), "adalora", **options)
            tuning.load(tmp_path / str(stop))
            tuning.advance(96 - stop)
        ends.append({name: p.detach().clone() for name, p in tuning.parameters.items()})
        tuning.close()
    for end in ends[1:]:
        assert all(torch.equal(end[name], p) for name, p in ends[0].items())


def test_orthogonality_is_the_mean_over_matrices_however_they_are_batched(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    model, distances = tune(bench("t5"), "adalora").model, []
    for name, p in model.named_parameters():
        if ".lora_A." in name or ".lora_B." in name:
            gram = p @ p.T if ".lora_A." in name else p.T @ p
            distances.append(torch.linalg.matrix_norm(gram - torch.eye(len(gram))))
    assert len({p.shape for name, p in model.named_parameters() if ".lora_A." in name}) > 1
    torch.testing.assert_close(orthogonality(model), torch.stack(distances).mean())
