"""Tokens: what the tokenizer itself gives, and where they are too many, the source's end is cut."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, AutoTokenizer

from trainables.data import Example, load
from trainables.encode import Encoder, load_encoder
from trainables.errors import InputError
from trainables.examples import made
from trainables.task import Task

HEAD, TAIL = "Summarize:\n\n", "\n\nSummary: "
DIALOGUE = "Ann: Where is the lamp? Please help me, I have looked for it all day.\nBen: It is in the attic."


def example(source: str = DIALOGUE, target: str = "The lamp is in the attic.") -> Example:
    place = len(HEAD), len(HEAD) + len(source)
    return Example("train-0", source, f"{HEAD}{source}{TAIL}", (target, "another"), place)


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
    short = encoder(family, max_source_tokens=3)
    full = encoder(family).encode([example("Ann")])[0].source
    encoded = short.encode([example("Ann")])[0]
    ends = full[-1:] if family != "llama" else []
    assert encoded.source == full[: 3 - len(ends)] + ends
    assert encoded.source_cut == len(full) - 3


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


@pytest.mark.parametrize("family", ["t5", "bart", "llama"])
def test_an_instruction_in_the_words_of_the_source_is_not_cut(
    encoder: Callable[..., Encoder], make_task: Callable[..., Task], family: str
) -> None:
    """The place of the source decides, not where its words stand first."""
    row, words = {"dialogue": "in the attic " * 9, "summary": "s"}, "It is in the attic, Cleo:"
    example = made(row, "train-0", ["summary"], make_task(family, prompt=f"{words} {{dialogue}}, Ann."))
    full = encoder(family).encode([example])[0].source
    encoded = encoder(family, max_source_tokens=len(full) - 9).encode([example])[0]
    text = one_line(encoder(family).tokenizer.decode(encoded.source, skip_special_tokens=True))
    assert text.startswith(f"{words} in the")
    assert text.endswith(", Ann.")


def test_of_a_source_that_does_not_stand_in_the_prompt_the_prompts_end_is_cut(
    encoder: Callable[..., Encoder],
) -> None:
    unplaced = replace(example(), source_place=None)
    full = encoder("llama").encode([unplaced])[0].source
    assert encoder("llama", max_source_tokens=30).encode([unplaced])[0].source == full[:30]


def test_the_systems_message_comes_first(encoder: Callable[..., Encoder]) -> None:
    chat = encoder("llama", chat_template=True, system="Please look.")
    assert chat.text(chat.encode([example()])[0].source) == (
        f"<s>[system] Please look.\n[user] {example().prompt}\n[assistant] "
    )
    cut = encoder("llama", chat_template=True, system="Please look.", max_source_tokens=45).encode(
        [example()]
    )[0]
    text = chat.text(cut.source)
    assert text.startswith(f"<s>[system] Please look.\n[user] {HEAD}Ann: Where")
    assert text.endswith(f"{TAIL}\n[assistant] ")


def test_a_trimming_template_keeps_the_place_of_the_source(
    encoder: Callable[..., Encoder], tmp_path: Path
) -> None:
    llama = encoder("llama")
    llama.tokenizer.chat_template = llama.tokenizer.chat_template.replace(
        "message.content", "message.content | trim"
    )
    llama.tokenizer.save_pretrained(tmp_path)
    AutoConfig.from_pretrained(llama.task.model).save_pretrained(tmp_path)
    chat = encoder("llama", model=str(tmp_path), chat_template=True, max_source_tokens=40)
    text = chat.text(chat.encode([example()])[0].source)
    assert text.startswith(f"<s>[user] {HEAD}Ann: Where")
    assert text.endswith("\n\nSummary:\n[assistant] ")


def test_a_conversation_ends_with_the_templates_own_token(
    encoder: Callable[..., Encoder], tmp_path: Path
) -> None:
    """Where the template closes an answer with another token than the tokenizer's end, it is learned."""
    llama = encoder("llama")
    llama.tokenizer.add_special_tokens({"additional_special_tokens": ["<turn>"]})
    llama.tokenizer.chat_template = (
        "{% for message in messages %}[{{ message.role }}]{{ message.content }}<turn>\n{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    llama.tokenizer.save_pretrained(tmp_path)
    AutoConfig.from_pretrained(llama.task.model).save_pretrained(tmp_path)
    chat = encoder("llama", model=str(tmp_path), chat_template=True)
    encoded = chat.encode([example()])[0]
    whole = chat.tokenizer.apply_chat_template(
        [
            {"role": "user", "content": example().prompt},
            {"role": "assistant", "content": example().references[0]},
        ],
        return_dict=False,
    )
    assert whole[: len(encoded.source) + len(encoded.target)] == encoded.source + encoded.target
    assert chat.text(encoded.target) == "The lamp is in the attic.<turn>"
    assert encoder("llama", model=str(tmp_path)).end_token_id == llama.tokenizer.eos_token_id


def test_a_model_without_a_chat_template_is_told(encoder: Callable[..., Encoder]) -> None:
    with pytest.raises(InputError, match=r"task.chat_template: the tokenizer of .* has none"):
        encoder("t5", chat_template=True)


def test_a_template_that_refuses_the_systems_message_is_told(
    encoder: Callable[..., Encoder], tmp_path: Path
) -> None:
    llama = encoder("llama")
    refusal = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    llama.tokenizer.chat_template = refusal + llama.tokenizer.chat_template
    llama.tokenizer.save_pretrained(tmp_path)
    AutoConfig.from_pretrained(llama.task.model).save_pretrained(tmp_path)
    chat = encoder("llama", model=str(tmp_path), chat_template=True, system="Please look.")
    with pytest.raises(InputError, match=r"refuses the prompt: no system\. .* set task.system: null"):
        chat.encode([example()])


@pytest.mark.slow
@pytest.mark.skipif(
    "TUNEOFF_CHAT_MODEL" not in os.environ, reason="TUNEOFF_CHAT_MODEL names no folder of an instruct model"
)
@pytest.mark.parametrize("system", [None, "You summarise."])
def test_a_real_conversation_begins_with_the_prompt_and_goes_on_with_the_target(
    encoder: Callable[..., Encoder], system: str | None
) -> None:
    folder = os.environ["TUNEOFF_CHAT_MODEL"]
    chat = encoder("llama", model=folder, chat_template=True, system=system, max_source_tokens=512)
    encoded = chat.encode([example()])[0]
    messages = [
        {"role": "user", "content": example().prompt},
        {"role": "assistant", "content": example().references[0]},
    ]
    if system:
        messages = [{"role": "system", "content": system}, *messages]
    whole = chat.tokenizer.apply_chat_template(messages, return_dict=False)
    assert whole[: len(encoded.source) + len(encoded.target)] == encoded.source + encoded.target
    assert not chat.text(whole[len(encoded.source) + len(encoded.target) :]).strip()


def test_a_tokenizer_without_padding_pads_with_its_end(
    encoder: Callable[..., Encoder], tmp_path: Path
) -> None:
    unpadded = encoder("llama")
    unpadded.tokenizer.pad_token = None
    unpadded.tokenizer.save_pretrained(tmp_path)
    AutoConfig.from_pretrained(unpadded.task.model).save_pretrained(tmp_path)
    assert encoder("llama", model=str(tmp_path)).tokenizer.pad_token == "</s>"
