"""Look at what a sweep would train on: data, prompts and their lengths, before anything is spent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from search.config import Sweep, rungs
from search.trackers import check_trackers
from trainables.data import SPLITS, Data, Example, Split, load
from trainables.encode import Encoder, load_encoder
from trainables.hub import check_model
from trainables.metrics import check as check_metric

SHOWN = 3
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
    hints = [*_hints(encoder, data), *_of_final(sweep)]
    return Checkup(data, rungs(sweep.search, len(data.train)), lengths, shown, hints)


def _hints(encoder: Encoder, data: Data) -> Iterator[str]:
    if data.labels:
        yield f"Labels, the most likely of which is the output: {', '.join(data.labels)}."
    if encoder.tokenizer.chat_template and not encoder.task.chat_template:
        yield "The tokenizer has a chat template: for an instruct model set task.chat_template: true."
    if any(example.source_place is None for example in data.train[:SHOWN]):
        yield "The prompt changes the source: where it is too long, the end of the prompt is cut."


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
