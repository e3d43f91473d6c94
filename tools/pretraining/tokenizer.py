"""The embedded model's tokenizer: byte-level BPE, so that any text survives the round trip.

Names get no pieces of their own: each counts little when pieces are chosen, so that a name is spelled with
a few pieces that other names share, and one that pretraining never saw can be copied piece by piece.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from trainables.embedded import values

PIECES = 2000
SENTINELS = [f"<extra_id_{n}>" for n in range(24)]
_PAD, _END, _UNKNOWN = "<pad>", "</s>", "<unk>"

_SPLIT = Regex(r"[ \n]?#Person\d+#:?| ?\p{L}+|'\p{L}+| ?\p{N}|\n| ?[^\s\p{L}\p{N}]+|\s+")
_NAMES = frozenset(values.FIRST_NAME.seen + values.TOWN.seen + values.SURNAME.seen)
_MOST_COUNTED = 5
"""A name counts at most this often."""

_SPEAKERS = 100 * ("#Person1#", "#Person2#")
"""Speakers without a colon: no dialogue has them, most summaries do."""


def train_tokenizer(texts: Iterable[str], pieces: int = PIECES) -> PreTrainedTokenizerFast:
    """A fast tokenizer with ``pieces`` pieces, sentinels and special ones included."""
    tokenizer = Tokenizer(models.BPE(unk_token=_UNKNOWN))
    tokenizer.normalizer = normalizers.Prepend(" ")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_SPLIT, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Strip(" ", 1, 0)])
    trainer = trainers.BpeTrainer(
        vocab_size=pieces,
        special_tokens=[_PAD, _END, _UNKNOWN, *SENTINELS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sparing_names([*texts, *_SPEAKERS]), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {_END}", pair=f"$A {_END} $B {_END}", special_tokens=[(_END, tokenizer.token_to_id(_END))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=_PAD,
        eos_token=_END,
        unk_token=_UNKNOWN,
        additional_special_tokens=SENTINELS,
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    )


def _sparing_names(texts: Iterable[str]) -> Iterator[str]:
    """The texts without the names that have been counted often enough."""
    counts: Counter[str] = Counter()

    def once_more(match: re.Match[str]) -> str:
        counts[match[0]] += 1
        return match[0] if match[0] not in _NAMES or counts[match[0]] <= _MOST_COUNTED else "x"

    for text in texts:
        yield re.sub("[A-Z][a-z]+", once_more, text)
