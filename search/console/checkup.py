"""Look at what a sweep would train on: data, prompts and their lengths, before anything is spent."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from search.config import Sweep, rungs
from search.trackers import check_trackers
from trainables.data import SPLITS, Data, Example, Split, load
from trainables.encode import Encoder, load_encoder
from trainables.hub import check_model
from trainables.metrics import check as check_metric

SHOWN = 3
NAMED = 10
"""Unknown characters that a warning names."""
UNKNOWN_MOST = 0.005
"""Share of unknown tokens above which `check` warns."""
MEASURED = 1000
"""Examples of a split that are tokenised to measure its lengths."""


@dataclass(frozen=True)
class Lengths:
    """Token lengths of a split's prompts or targets, and how many the limit cuts."""

    split: Split
    what: str
    median: int
    longest: int
    limit: int
    cut_share: float


@dataclass(frozen=True)
class Shown:
    """An example as the model sees it."""

    id: str
    prompt: str
    """Decoded from the tokens that the model reads, after any cut."""
    label: str
    """Decoded from the tokens that it learns to write."""


@dataclass(frozen=True)
class Checkup:
    """What `tuneoff check` prints."""

    data: Data
    rungs: list[int]
    lengths: list[Lengths]
    examples: list[Shown]
    hints: list[str]
    """Likely mistakes, and what to know before the sweep runs."""


def checkup(sweep: Sweep) -> Checkup:
    """Load the sweep's data and tokenizer, and measure.

    Raises:
        InputError: the model or the data cannot be used as given.
    """
    check_model(sweep.task)
    check_metric(sweep.task.rules(), trusted=sweep.task.trust_remote_code)
    check_trackers(sweep.tracking)
    data = load(sweep.task, sweep.seed)
    encoder = load_encoder(sweep.task)
    lengths = [row for split in SPLITS for row in _lengths(encoder, split, data.split(split)[:MEASURED])]
    first = data.train[:SHOWN]
    shown = [
        Shown(example.id, encoder.text(tokens.source), encoder.text(tokens.target))
        for example, tokens in zip(first, encoder.encode(first), strict=True)
    ]
    hints = [*_hints(encoder, data), *_unknown(encoder, data), *_of_final(sweep)]
    return Checkup(data, rungs(sweep.search, len(data.train)), lengths, shown, hints)


def _hints(encoder: Encoder, data: Data) -> Iterator[str]:
    if data.labels:
        yield f"Labels, the most likely of which is the output: {', '.join(data.labels)}."
    if encoder.tokenizer.chat_template and not encoder.task.chat_template:
        yield "The tokenizer has a chat template: for an instruct model set task.chat_template: true."
    if any(example.source_place is None for example in data.train[:SHOWN]):
        yield "The prompt changes the source: where it is too long, the end of the prompt is cut."


def _unknown(encoder: Encoder, data: Data) -> Iterator[str]:
    """Warn where the tokenizer does not know much of the texts; a byte-level one knows all."""
    tokenizer = encoder.tokenizer
    unknown = tokenizer.unk_token_id
    if unknown is None or unknown in (tokenizer.eos_token_id, tokenizer.bos_token_id, tokenizer.pad_token_id):
        return
    examples = data.train[:MEASURED]
    tokens = [token for row in encoder.encode(examples) for token in (*row.source, *row.target)]
    share = tokens.count(unknown) / len(tokens)
    if share > UNKNOWN_MOST:
        signs = Counter(sign for e in examples for sign in e.prompt + e.references[0] if not sign.isspace())
        missing = [sign for sign, _ in signs.most_common() if unknown in tokenizer.encode(sign)]
        named = ", ".join(map(repr, missing[:NAMED])) or "some of the texts"
        yield (
            f"Warning: {share:.1%} of the tokens of train are {tokenizer.unk_token}: the tokenizer does not "
            f"know {named}. The model can neither read nor write them."
        )


def _of_final(sweep: Sweep) -> Iterator[str]:
    if sweep.final.seeds == 1:
        yield "One seed cannot tell methods apart: with final.seeds: 3 the report compares them."


def _lengths(encoder: Encoder, split: Split, examples: Sequence[Example]) -> list[Lengths]:
    encoded, task = encoder.encode(examples), encoder.task
    sources = [len(tokens.source) + tokens.source_cut for tokens in encoded]
    references = [text for example in examples for text in example.references]
    targets = [len(tokens) for tokens in encoder.targets(references)]
    return [
        _row(split, "prompt", sources, task.max_source_tokens),
        _row(split, "target", targets, task.max_target_tokens),
    ]


def _row(split: Split, what: str, lengths: list[int], limit: int) -> Lengths:
    middle = sorted(lengths)[len(lengths) // 2]
    cut = sum(length > limit for length in lengths) / len(lengths)
    return Lengths(split, what, middle, max(lengths), limit, cut)
