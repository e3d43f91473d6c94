"""Tiny models with random weights, and dialogues from which something can be learned."""

import random
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from tests.relatives import CONFIGURATIONS, KIN, relative

SPECIAL = ["<pad>", "</s>", "<unk>", "<s>"]
PAD, EOS, UNK, BOS = range(4)
PROMPT = "Summarize:\n\n{dialogue}\n\nSummary: "
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}[{{ message.role }}] {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)
PEOPLE = ("Ann", "Ben", "Cleo", "Dan")
THINGS = ("lamp", "key", "letter", "coat", "map", "cup")
PLACES = ("kitchen", "garden", "attic", "car", "hall")
PLEA = " Please help me, I have looked for it all day."


Rows = list[dict[str, str]]


def dialogues(count: int, seed: int) -> Rows:
    """Somebody looks for a thing: the summary repeats words of the dialogue, more of them after a plea."""
    chance = random.Random(seed)
    rows = {}
    while len(rows) < count:
        (asks, answers), thing, place = chance.sample(PEOPLE, 2), chance.choice(THINGS), chance.choice(PLACES)
        pleas = chance.randrange(3)
        dialogue = f"{asks}: Where is the {thing}?{PLEA * pleas}\n{answers}: It is in the {place}."
        rows[dialogue] = f"The {thing} is in the {place}.{f' {asks} asks {answers}.' * pleas}"
    return [{"dialogue": dialogue, "summary": summary} for dialogue, summary in rows.items()]


def tokenizer(family: str) -> PreTrainedTokenizerFast:
    """Words and letters of the corpus, in the family's own way: T5 spells spaces as `▁`, the others bytes."""
    family = KIN.get(family, family)
    tok = Tokenizer(models.BPE(unk_token="<unk>"))
    if family == "t5":
        tok.normalizer = normalizers.Replace(Regex(r"\s+"), " ")
        tok.pre_tokenizer, tok.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    else:
        tok.pre_tokenizer, tok.decoder = (
            pre_tokenizers.ByteLevel(add_prefix_space=False),
            decoders.ByteLevel(),
        )
    texts = [
        f"{row['dialogue']}\n\n{PROMPT} {row['summary']} Good. [user] [assistant]" for row in dialogues(60, 1)
    ]
    trainer = trainers.BpeTrainer(vocab_size=200, special_tokens=SPECIAL, show_progress=False)
    tok.train_from_iterator(texts, trainer)
    template = {"t5": "$A </s>", "bart": "<s> $A </s>"}.get(family, "<s> $A")
    tok.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[("<s>", BOS), ("</s>", EOS)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tok,
        **dict(zip(("pad_token", "eos_token", "unk_token", "bos_token"), SPECIAL, strict=True)),
        **({"chat_template": CHAT_TEMPLATE} if family == "llama" else {}),
    )


def random_model(family: str, vocabulary: int, dropout: float) -> PreTrainedModel:
    """Two layers of width 32, with weights large enough that what it writes varies."""
    torch.manual_seed(1)
    special: dict[str, Any] = {"pad_token_id": PAD, "eos_token_id": EOS, "vocab_size": vocabulary}
    if family in CONFIGURATIONS:
        return relative(family, special, dropout)
    if family == "t5":
        return T5ForConditionalGeneration(
            T5Config(
                d_model=32,
                d_kv=16,
                d_ff=64,
                num_layers=2,
                num_heads=2,
                feed_forward_proj="gated-gelu",
                dropout_rate=dropout,
                decoder_start_token_id=PAD,
                **special,
            )
        )
    if family == "bart":
        sizes = {
            f"{part}_{name}": value
            for part in ("encoder", "decoder")
            for name, value in {"layers": 2, "attention_heads": 2, "ffn_dim": 64}.items()
        }
        return BartForConditionalGeneration(
            BartConfig(
                d_model=32,
                max_position_embeddings=256,
                dropout=dropout,
                init_std=0.2,
                bos_token_id=BOS,
                decoder_start_token_id=EOS,
                forced_eos_token_id=None,
                **sizes,
                **special,
            )
        )
    return LlamaForCausalLM(
        LlamaConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=512,
            attention_dropout=dropout,
            initializer_range=0.2,
            bos_token_id=BOS,
            **special,
        )
    )


def teach(model: PreTrainedModel, words: PreTrainedTokenizerFast, rows: Rows) -> None:
    """A few steps, after which it writes something else for each dialogue, and ends."""
    causal = not model.config.is_encoder_decoder
    words.padding_side = "right"
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=5e-3)
    for step in range(40):
        batch = [rows[(8 * step + i) % len(rows)] for i in range(8)]
        answers = [row["summary"] for row in batch]
        texts = [PROMPT.format_map(row) + f"{row['summary']}</s>" * causal for row in batch]
        inputs = words(texts, return_tensors="pt", padding=True, return_token_type_ids=False)
        labels = inputs["input_ids"]
        if not causal:
            labels = words(text_target=answers, return_tensors="pt", padding=True)["input_ids"]
        model(**inputs, labels=labels.masked_fill(labels == PAD, -100)).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
