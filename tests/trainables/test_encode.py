"""Tokens: what the tokenizer itself gives, and where they are too many, the source's end is cut."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, AutoTokenizer

from trainables.data import Example, load
from trainables.encode import Encoder, load_encoder
from trainables.task import Task

HEAD, TAIL = "Summarize:\n\n", "\n\nSummary: "
DIALOGUE = "Ann: Where is the lamp? Please help me, I have looked for it all day.\nBen: It is in the attic."


def example(source: str = DIALOGUE, target: str = "The lamp is in the attic.") -> Example:
    return Example("train-0", source, f"{HEAD}{source}{TAIL}", (target, "another"))


@pytest.fixture
def encoder(make_task: Callable[..., Task]) -> Callable[..., Encoder]:
    def make(family: str, **fields: Any) -> Encoder:
        return load_encoder(make_task(family, **fields))

    return make


def one_line(text: str) -> str:
    """A text as T5's tokenizer keeps it."""
    return " ".join(text.split())


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_source_and_target_are_what_the_tokenizer_gives(make_task: Callable[..., Task], family: str) -> None:
    task = make_task(family, max_source_tokens=512)
    tokenizer = AutoTokenizer.from_pretrained(task.model)
    examples = load(task, seed=0).train
    for given, encoded in zip(examples, load_encoder(task).encode(examples), strict=True):
        assert encoded.source == tokenizer(given.prompt)["input_ids"]
        assert encoded.target == tokenizer(text_target=given.references[0])["input_ids"]
        assert encoded.target[-1] == tokenizer.eos_token_id
        assert (encoded.source_cut, encoded.target_cut) == (0, 0)
        assert encoded.length == len(encoded.source) + len(encoded.target)


def test_a_causal_model_reads_the_prompt_without_an_end_and_writes_the_target_with_one(
    encoder: Callable[..., Encoder],
) -> None:
    llama = encoder("llama")
    encoded = llama.encode([example()])[0]
    assert llama.text(encoded.source) == f"<s>{example().prompt}"
    assert llama.text(encoded.target) == "The lamp is in the attic.</s>"


def test_an_end_that_the_tokenizer_adds_is_taken_off_a_causal_models_prompt(
    encoder: Callable[..., Encoder],
) -> None:
    bart_words = encoder("bart")
    causal = Encoder(bart_words.tokenizer, bart_words.task, is_encoder_decoder=False)
    encoded = causal.encode([example()])[0]
    assert causal.text(encoded.source) == f"<s>{example().prompt}"
    assert causal.text(encoded.target) == "The lamp is in the attic.</s>"


@pytest.mark.parametrize("cut", [1, 4, 9])
@pytest.mark.parametrize("family", ["t5", "bart", "llama"])
def test_the_end_of_a_long_source_is_cut_and_the_instruction_around_it_stays(
    encoder: Callable[..., Encoder], family: str, cut: int
) -> None:
    full = encoder(family).encode([example()])[0].source
    long = encoder(family, max_source_tokens=len(full) - cut)
    encoded = long.encode([example()])[0]
    assert len(encoded.source) == len(full) - cut
    assert encoded.source_cut == cut
    assert encoded.source[-3:] == full[-3:]
    keep = one_line if family == "t5" else str
    text = keep(long.tokenizer.decode(encoded.source, skip_special_tokens=True))
    head, tail = keep(HEAD), keep(TAIL)
    assert text.startswith(head)
    assert text.endswith(tail)
    middle = text[len(head) : -len(tail)].strip()
    assert middle != keep(DIALOGUE)
    assert keep(DIALOGUE).startswith(middle)


@pytest.mark.parametrize("family", ["t5", "bart", "llama"])
def test_where_the_source_is_not_long_enough_to_cut_the_prompts_end_goes_too(
    encoder: Callable[..., Encoder], family: str
) -> None:
    short = encoder(family, max_source_tokens=4)
    full = encoder(family).encode([example("Ann: It.")])[0].source
    encoded = short.encode([example("Ann: It.")])[0]
    ends = full[-1:] if family != "llama" else []
    assert encoded.source == full[: 4 - len(ends)] + ends
    assert encoded.source_cut == len(full) - 4


@pytest.mark.parametrize("family", ["t5", "bart", "llama"])
def test_a_cut_target_still_ends(encoder: Callable[..., Encoder], family: str) -> None:
    full = encoder(family).encode([example()])[0].target
    encoded = encoder(family, max_target_tokens=5).encode([example()])[0]
    assert encoded.target == full[:4] + full[-1:]
    assert encoded.target[-1] == 1
    assert encoded.target_cut == len(full) - 5


def test_a_target_of_just_the_cap_is_not_cut(encoder: Callable[..., Encoder]) -> None:
    full = encoder("t5").encode([example()])[0].target
    encoded = encoder("t5", max_target_tokens=len(full)).encode([example()])[0]
    assert (encoded.target, encoded.target_cut) == (full, 0)


def test_the_chat_template_is_the_tokenizers_own(encoder: Callable[..., Encoder]) -> None:
    chat = encoder("llama", chat_template=True)
    encoded = chat.encode([example()])[0]
    message = [{"role": "user", "content": example().prompt}]
    own = chat.tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=False)
    assert encoded.source == own
    assert chat.text(encoded.source) == f"<s>[user] {example().prompt}\n[assistant] "


def test_a_chat_template_stays_whole_around_a_cut_source(encoder: Callable[..., Encoder]) -> None:
    encoded = encoder("llama", chat_template=True, max_source_tokens=40).encode([example()])[0]
    text = encoder("llama").text(encoded.source)
    assert len(encoded.source) == 40
    assert text.startswith(f"<s>[user] {HEAD}Ann: Where")
    assert text.endswith(f"{TAIL}\n[assistant] ")


def test_a_tokenizer_without_padding_pads_with_its_end(
    encoder: Callable[..., Encoder], tmp_path: Path
) -> None:
    unpadded = encoder("llama")
    unpadded.tokenizer.pad_token = None
    unpadded.tokenizer.save_pretrained(tmp_path)
    AutoConfig.from_pretrained(unpadded.task.model).save_pretrained(tmp_path)
    assert encoder("llama", model=str(tmp_path)).tokenizer.pad_token == "</s>"
