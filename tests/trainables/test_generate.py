"""What is written in batches is what the model writes for one source at a time, greedily, up to the cap."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from trainables.inference import decoding, generate
from trainables.inference.generate import greedy
from trainables.loop import FineTuning
from trainables.workbench import Workbench

FAMILIES = ("t5", "bart", "llama")
PAD, EOS = 0, 1
CAP = 24
OWN_SETTINGS = {
    "num_beams": 4,
    "min_length": 12,
    "min_new_tokens": 12,
    "no_repeat_ngram_size": 1,
    "repetition_penalty": 3.0,
    "length_penalty": 2.0,
    "early_stopping": True,
    "max_length": 15,
    "forced_eos_token_id": 5,
    "suppress_tokens": list(range(20, 60)),
    "bad_words_ids": [[i] for i in range(60, 100)],
    "do_sample": True,
    "temperature": 9.0,
}


@pytest.fixture
def attached(bench: Callable[..., Workbench], tune: Callable[..., FineTuning]) -> Callable[..., Any]:
    """`attached(family, method)`: a taught model whose adapter, trained a little, makes a difference."""

    def make(family: str, method: str | None) -> tuple[Workbench, Any]:
        table = bench(family, taught=True)
        if method is None:
            return table, table.base.model.eval()
        tuning = tune(table, method, virtual_tokens=20, learning_rate=0.01, rank=4)
        tuning.advance(24)
        return table, tuning.model.eval()

    return make


def sources(table: Workbench) -> list[list[int]]:
    """Sources of many lengths, a few of one or two tokens among them."""
    given = [encoded.source for encoded in table.encoded("validation")[:4]]
    return [*given, given[0][-1:], given[1][-2:], given[2][:9], given[0]]


def one_at_a_time(model: Any, rows: list[list[int]], *, is_encoder_decoder: bool) -> list[list[int]]:
    """The tokens that transformers (or peft) write for each row alone, with nothing padded."""
    outputs = []
    for row in rows:
        ids = torch.tensor([row])
        with warnings.catch_warnings(), torch.no_grad():
            warnings.filterwarnings("ignore", "Position ids are not supported", UserWarning)
            written = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                num_beams=1,
                max_new_tokens=CAP,
            )[0].tolist()
        outputs.append(up_to_end(written[1:] if is_encoder_decoder else written[len(row) :]))
    return outputs


def up_to_end(tokens: list[int]) -> list[int]:
    return tokens[: tokens.index(EOS) + 1] if EOS in tokens else tokens


@pytest.mark.parametrize("method", [None, "lora", "prompt_tuning", "prefix_tuning"])
@pytest.mark.parametrize("family", FAMILIES)
def test_batches_give_what_one_source_at_a_time_gives(
    attached: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, family: str, method: str | None
) -> None:
    monkeypatch.setattr(generate, "BATCH_TOKENS", 180)  # several batches, several sources in each
    table, model = attached(family, method)
    rows = sources(table)
    outputs = greedy(table.base, model, rows, cap=CAP)
    expected = one_at_a_time(model, rows, is_encoder_decoder=table.base.is_encoder_decoder)
    assert [up_to_end(tokens) for tokens in outputs] == expected
    assert len({tuple(tokens) for tokens in expected}) > 2
    assert any(EOS in tokens for tokens in expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_that_have_ended_are_computed_no_more(
    attached: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    table, model = attached(family, None)
    computed = []
    kept = model.register_forward_hook(lambda *inputs: computed.append(len(inputs[-1].logits)))
    outputs = greedy(table.base, model, sources(table), cap=CAP)
    kept.remove()
    lengths = [len(up_to_end(tokens)) for tokens in outputs]
    expected = [
        sum(length > step - step % decoding.STRIDE for length in lengths) for step in range(len(computed))
    ]
    assert computed == expected
    assert computed[0] == len(lengths) > computed[-1]


@pytest.mark.parametrize("family", FAMILIES)
def test_after_the_end_there_is_only_padding(attached: Callable[..., Any], family: str) -> None:
    table, model = attached(family, None)
    outputs = greedy(table.base, model, sources(table), cap=CAP)
    assert len({len(up_to_end(tokens)) for tokens in outputs}) > 1
    for tokens in outputs:
        assert set(tokens[len(up_to_end(tokens)) :]) <= {PAD}


@pytest.mark.parametrize("method", [None, "lora", "prompt_tuning"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_models_own_settings_of_generation_have_no_influence(
    attached: Callable[..., Any], family: str, method: str | None
) -> None:
    table, model = attached(family, method)
    expected = greedy(table.base, model, sources(table), cap=CAP)
    special = {name: getattr(table.base.model.generation_config, name) for name in generate.SPECIAL_TOKENS}
    own = GenerationConfig(**OWN_SETTINGS, **special, pad_token_id=PAD)
    table.base.model.generation_config, kept = own, table.base.model.generation_config
    try:
        assert greedy(table.base, model, sources(table), cap=CAP) == expected
        assert table.base.model.generation_config is own
        assert own.to_dict() == GenerationConfig(**OWN_SETTINGS, **special, pad_token_id=PAD).to_dict()
    finally:
        table.base.model.generation_config = kept


@pytest.mark.parametrize("cap", [1, 4])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_cap_is_kept(attached: Callable[..., Any], family: str, cap: int) -> None:
    table, model = attached(family, None)
    rows = sources(table)[:3]
    outputs = greedy(table.base, model, rows, cap=cap)
    longer = greedy(table.base, model, rows, cap=CAP)
    assert [len(tokens) for tokens in outputs] == [cap] * 3
    assert outputs == [tokens[:cap] for tokens in longer]


def test_a_causal_model_goes_on_from_what_it_wrote(bench: Callable[..., Workbench]) -> None:
    table = bench("llama", taught=True)
    model = table.base.model.eval()
    row = sources(table)[0]
    first = greedy(table.base, model, [row], cap=6)[0]
    again = greedy(table.base, model, [row + first[:3]], cap=3)[0]
    assert again == first[3:]


def test_no_output_for_no_source(bench: Callable[..., Workbench]) -> None:
    table = bench("t5")
    assert greedy(table.base, table.base.model.eval(), [], cap=4) == []
