"""The likelihood of label words, held against one plain forward pass for each source and label."""

from collections.abc import Callable

import pytest
import torch

from trainables.inference.classify import log_likelihoods, most_likely
from trainables.loop import FineTuning
from trainables.workbench import Workbench

LABELS = ["The lamp", "The lamp is in the attic.", "Ann", "The coat is in the car."]


def by_hand(bench: Workbench, source: list[int], label: list[int]) -> float:
    """Token by token, without padding."""
    model = bench.base.model
    with torch.no_grad():
        if bench.base.is_encoder_decoder:
            begin = model.config.decoder_start_token_id
            logits = model(
                input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([[begin, *label[:-1]]])
            ).logits[0]
        else:
            logits = model(input_ids=torch.tensor([source + label])).logits[0, len(source) - 1 : -1]
    nats = torch.log_softmax(logits.double(), dim=-1)
    return float(sum(nats[place, token] for place, token in enumerate(label)))


@pytest.mark.parametrize("family", ["t5", pytest.param("bart", marks=pytest.mark.slow), "llama"])
def test_the_likelihoods_are_those_of_the_tokens(bench: Callable[..., Workbench], family: str) -> None:
    table = bench(family, taught=True)
    sources = [encoded.source for encoded in table.encoded("validation")][:5]
    labels = table.base.encoder.targets(LABELS)
    assert {label[-1] for label in labels} == {table.base.tokenizer.eos_token_id}
    found = log_likelihoods(table.base, table.base.model.eval(), sources, labels, parts=2)
    expected = [[by_hand(table, source, label) for label in labels] for source in sources]
    assert torch.allclose(found, torch.tensor(expected), atol=1e-3)
    best = [LABELS[max(range(len(row)), key=row.__getitem__)] for row in expected]
    assert most_likely(table.base, table.base.model, sources, LABELS) == best


def test_a_soft_prompt_is_read_too(bench: Callable[..., Workbench], tune: Callable[..., FineTuning]) -> None:
    """It stands before the source, so that the labels' places shift."""
    table = bench("llama", taught=True)
    sources = [encoded.source for encoded in table.encoded("validation")][:3]
    labels = table.base.encoder.targets(LABELS)
    plain = log_likelihoods(table.base, table.base.model.eval(), sources, labels)
    tuning = tune(table, "prompt_tuning", examples=16)
    tuning.advance(16)
    tuning.model.eval()
    found = log_likelihoods(table.base, tuning.model, sources, labels)
    one = [[log_likelihoods(table.base, tuning.model, [s], [t]).item() for t in labels] for s in sources]
    assert torch.allclose(found, torch.tensor(one), atol=1e-3)
    assert not torch.allclose(found, plain, atol=1e-2)
