"""How the embedded model is made, and what it learned."""

import json
import re
from copy import deepcopy
from itertools import chain, islice
from pathlib import Path
from random import Random

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from tools.pretraining.batching import collate
from tools.pretraining.exercises import exercise_texts, make_example, read
from tools.pretraining.pretrain import CHECKPOINT, Pretraining, learning_rate_share, unshared_dialogues
from tools.pretraining.reported import reported
from tools.pretraining.small_t5 import scale_weights
from trainables.embedded import MODEL, generate
from trainables.embedded.dialogues import stream
from trainables.embedded.grammar import lines
from trainables.embedded.situations import situations
from trainables.embedded.values import FIRST_NAME, SURNAME, TOWN


@pytest.fixture(scope="module")
def splits() -> dict[str, list[dict[str, str]]]:
    return generate()


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    return AutoModelForSeq2SeqLM.from_pretrained(MODEL)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(MODEL)


def test_the_model_knows_dialogues_but_not_summaries(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, splits: dict[str, list[dict[str, str]]]
) -> None:
    rng = Random(0)
    exercises = [make_example(told, tokenizer, rng) for told, _ in islice(stream("known"), 64)]
    rows = splits["validation"][:32]
    prompts = tokenizer([row["dialogue"] for row in rows], padding=True, return_tensors="pt")
    labels = tokenizer([row["summary"] for row in rows], padding=True, return_tensors="pt").input_ids
    with torch.no_grad():
        known = model.float()(**collate(exercises)).loss.item()
        unknown = model(**prompts, labels=labels.masked_fill(labels == 0, -100)).loss.item()
    assert known < 1
    assert known + 1 < unknown < 20


def test_pretraining_shares_no_dialogue_and_no_kept_name(splits: dict[str, list[dict[str, str]]]) -> None:
    shipped = {row["dialogue"] for rows in splits.values() for row in rows}
    dialogues = [dialogue.text for dialogue in islice(unshared_dialogues("pretraining/0/0"), 1000)]
    assert not shipped & set(dialogues)
    unseen = {name for pool in (FIRST_NAME, TOWN, SURNAME) for name in pool.unseen}
    assert not unseen & set(re.findall(r"[A-Z][a-z]+", " ".join(dialogues)))


def test_weights_of_another_scale_compute_the_same(model: PreTrainedModel) -> None:
    texts = torch.arange(30, 110).reshape(2, 40)
    with torch.no_grad():
        before = model.float()(input_ids=texts, decoder_input_ids=texts).logits
        scaled = deepcopy(model)
        scale_weights(scaled, 4)
        assert torch.allclose(scaled(input_ids=texts, decoder_input_ids=texts).logits, before, atol=1e-3)
    shares = {
        name: (weight / scaled.get_parameter(name)).nanmedian().item()
        for name, weight in model.named_parameters()
    }
    assert set(shares.values()) == {0.25, 1, 4}


def test_learning_rate_rises_then_falls() -> None:
    shares = [learning_rate_share(s, 1000, warm_up=40, decay_share=0.25) for s in (0, 20, 40, 750, 875, 1000)]
    assert shares == pytest.approx([0.02, 0.52, 1, 1, 0.5, 0])


def test_turns_are_reported_in_the_third_person() -> None:
    names = {"#Person1#": "Laura", "#Person2#": "#Person2#"}
    turns = [
        "#Person1#: Hello. I want my money back, and I'm Laura.",
        "#Person2#: Do you have the receipt? I'm afraid we can't help you.",
        "#Person1#: Should I see Dr. Norley, or will you do it for me?",
    ]
    assert reported(turns, names) == (
        "Laura says: Hello. Laura wants Laura's money back, and Laura is Laura. "
        "#Person2# says: does Laura have the receipt? #Person2# is afraid they can't help Laura. "
        "Laura asks: Should Laura see Dr. Norley, or will #Person2# do it for Laura?"
    )


def test_turns_tell_the_facts_that_they_mention_in_the_words_of_a_summary() -> None:
    for dialogue, _ in islice(stream("facts"), 100):
        turns = dialogue.text.split("\n")
        whole, first = read(dialogue, turns), read(dialogue, turns[:1])
        assert whole.names[dialogue.speakers["A"]] == whole.facts["asks"] == dialogue.told["A"]
        assert first.facts.keys() <= whole.facts.keys()
        for slot, said in dialogue.said.items():
            if slot not in ("a", "b"):
                key = slot.replace("_", " ").replace("2", " 2")
                assert whole.facts[key] == dialogue.told[slot], slot
                assert (key in first.facts) == bool(
                    re.search(rf"\b{re.escape(said)}(?!\w)", turns[0], re.IGNORECASE)
                )


def test_no_exercise_words_anything_as_a_summary_does() -> None:
    """Summaries are templates with slots: no answer has what is left of a long one without its slots."""
    answers = list(islice(exercise_texts(unshared_dialogues("answers"), Random(0)), 1000))[1::2]
    for situation in situations():
        for template in chain(lines(situation.requests), *(lines(e.outcomes) for e in situation.endings)):
            words = max((part.strip(" .,") for part in re.split(r"\{\w+\}", template)), key=len)
            assert len(words.split()) <= 3 or not [answer for answer in answers if words in answer], words


@pytest.mark.slow
def test_pretraining_leaves_a_model_and_a_log(tmp_path: Path) -> None:
    Pretraining(minutes=0.02, seed=0, output=tmp_path, tokenizer_dialogues=500).run()
    log = json.loads((tmp_path / "pretraining.json").read_text())
    assert log["finished"] is True
    assert log["steps"] >= 1
    assert log["curve"][-1]["held_back_loss"] > 0
    assert AutoModelForSeq2SeqLM.from_pretrained(tmp_path).num_parameters() == log["parameters"]
    assert AutoTokenizer.from_pretrained(tmp_path)("#Person1#: Hello.").input_ids[-1] == 1

    further = tmp_path / "further"
    further.mkdir()
    goes_on = Pretraining(minutes=0.02, seed=0, output=further, earlier=tmp_path)
    assert goes_on.warm_up == 0
    trained = torch.load(tmp_path / CHECKPOINT)["model"]
    assert all(value.equal(trained[name]) for name, value in goes_on.model.state_dict().items())
    goes_on.run()
    del log["earlier"]
    assert json.loads((further / "pretraining.json").read_text())["earlier"] == [log]


def test_the_shipped_log_is_of_the_shipped_model(model: PreTrainedModel) -> None:
    log = json.loads((MODEL / "pretraining.json").read_text())
    assert log["parameters"] == model.num_parameters()
    assert log["steps"] == log["curve"][-1]["step"]
