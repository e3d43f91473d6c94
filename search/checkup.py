"""What a sweep would train on: its data, its prompts and their lengths, before anything is spent."""

from collections.abc import Sequence
from dataclasses import dataclass

from search.budget import rungs
from search.config import Sweep
from trainables.data import SPLITS, Data, Example, Split, load
from trainables.encode import Encoder, load_encoder
from trainables.hub import check_model

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
    """An example as the model meets it."""

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


def checkup(sweep: Sweep) -> Checkup:
    """Load the sweep's data and tokenizer, and look.

    Raises:
        InputError: the model or the data cannot be used as given.
    """
    check_model(sweep.task)
    data = load(sweep.task, sweep.seed)
    encoder = load_encoder(sweep.task)
    lengths = [row for split in SPLITS for row in _lengths(encoder, split, data.split(split)[:MEASURED])]
    first = data.train[:SHOWN]
    shown = [
        Shown(example.id, encoder.text(tokens.source), encoder.text(tokens.target))
        for example, tokens in zip(first, encoder.encode(first), strict=True)
    ]
    return Checkup(data, rungs(sweep.qualifying, len(data.train)), lengths, shown)


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
