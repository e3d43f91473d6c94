"""Latencies are of both kinds of model, and to measure them leaves every bit where it was."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from trainables.cost import latency as module
from trainables.cost.latency import latency, merged
from trainables.loop import FineTuning
from trainables.model import checksum
from trainables.workbench import Workbench

PLAIN = ("generation_seconds_per_example", "batched_generation_seconds_per_example")
MERGED = ("merged_generation_seconds_per_example", "merged_batched_generation_seconds_per_example")
FAMILIES = pytest.mark.parametrize("family", ["t5", "bart", "llama"])


def trained(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> tuple[Workbench, FineTuning, list[list[int]]]:
    table = bench(family, taught=True)
    tuning = tune(table, method, examples=16)
    tuning.advance(16)
    return table, tuning, [encoded.source for encoded in table.encoded("validation")]


@FAMILIES
@pytest.mark.parametrize("method", ["full", "lora", "prompt_tuning"])
def test_only_what_can_be_merged_has_merged_figures_and_no_bit_changes(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str, method: str
) -> None:
    table, tuning, sources = trained(bench, tune, family, method)
    before = checksum(tuning.model)
    figures = latency(table.base, tuning.model, sources, cap=4)
    assert checksum(tuning.model) == before
    assert tuple(figures) == PLAIN + MERGED
    assert all(figures[name] > 0 for name in PLAIN)  # type: ignore[operator]
    assert [figures[name] is not None for name in MERGED] == [method == "lora"] * 2


@FAMILIES
def test_merged_it_predicts_the_same_from_other_weights(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], family: str
) -> None:
    table, tuning, _ = trained(bench, tune, family, "lora")
    tuning.model.eval()
    with torch.no_grad():
        for name, parameter in tuning.parameters.items():
            if "lora_B" in name:
                parameter.add_(0.05)
    example = table.encoded("validation")[0]
    ids: dict[str, Any] = {"input_ids": torch.tensor([example.source])}
    if table.base.is_encoder_decoder:
        ids["decoder_input_ids"] = torch.tensor([[0, *example.target]])
    with torch.no_grad():
        beside = tuning.model(**ids).logits
        before = checksum(tuning.model)
        with merged(tuning.model) as is_merged:
            assert is_merged
            assert checksum(tuning.model) != before
            inside = tuning.model(**ids).logits
        assert checksum(tuning.model) == before
        assert torch.equal(tuning.model(**ids).logits, beside)
    torch.testing.assert_close(inside, beside, rtol=1e-3, atol=1e-4)


def test_an_error_while_merged_leaves_every_bit_too(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning]
) -> None:
    _, tuning, _ = trained(bench, tune, "t5", "lora")
    before = checksum(tuning.model)
    with pytest.raises(KeyboardInterrupt), merged(tuning.model):
        raise KeyboardInterrupt
    assert checksum(tuning.model) == before


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """In place of generation and of the clock: 10 s a call and 5 s a source; the sizes of the calls."""
    calls: list[int] = []

    def generate(base: Any, model: Any, sources: list[list[int]], *, cap: int) -> None:
        calls.append(len(sources))

    clock = SimpleNamespace(perf_counter=lambda: float(10 * len(calls) + 5 * sum(calls)))
    monkeypatch.setattr(module, "greedy", generate)
    monkeypatch.setattr(module, "time", clock)
    return calls


def test_seconds_are_those_of_an_example(bench: Callable[..., Workbench], slow: list[int]) -> None:
    table = bench("t5")
    figures = latency(table.base, table.base.model, [[5, 6]] * 20, cap=4)
    assert slow == [1, *[1] * 8, 8, 8, 8]
    assert figures[PLAIN[0]] == 15
    assert figures[PLAIN[1]] == 50 / 8


def test_without_the_memory_for_it_a_latency_is_unknown(
    bench: Callable[..., Workbench], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(module, "greedy", fail)
    table = bench("t5")
    assert set(latency(table.base, table.base.model, [[5, 6]], cap=4).values()) == {None}
