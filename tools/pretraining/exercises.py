"""What the embedded model is pretrained on: nine exercises made from the words of a dialogue alone.

No exercise sees a summary. Their instructions differ, and so do their kinds of answer, because a model that
does one thing only cannot be steered by a prompt; finding, listing and mending make it copy what it
reads, which every method of fine-tuning then relies on. Span corruption follows T5
(arXiv 1910.10683), with UL2's
mixture of mild and heavy corruption (arXiv 2205.05131).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from transformers import PreTrainedTokenizerBase

from tools.pretraining.frames import make_frame
from tools.pretraining.tokenizer import SENTINELS

_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+(?: [A-Z][a-z]+)*|\d+(?: \d+)*")
_SMALL_WORD = re.compile(
    "a|an|the|to|of|for|in|on|at|is|it|be|and|we|you|i|have|that|this|with", re.IGNORECASE
)
_CORRUPTIONS = ((0.15, 3), (0.3, 4), (0.5, 8))
"""Share of pieces that are hidden, and the mean length of a hidden span in pieces."""


@dataclass(frozen=True)
class Example:
    """Piece ids, each list ended by the end-of-text piece."""

    source: list[int]
    target: list[int]


def make_example(
    dialogue: str, tokenizer: PreTrainedTokenizerBase, rng: Random, *, part_share: float = 0.0
) -> Example:
    """A random exercise on a dialogue or, so often as told, on a few of its turns in a row."""
    turns = dialogue.split("\n")
    if rng.random() < part_share:
        turns = _part(turns, rng)
    exercise = rng.choices([*SHARES], weights=[*SHARES.values()])[0]
    if exercise == FILL:
        return _fill("\n".join(turns), tokenizer, rng)
    source, target = _TEXT_EXERCISES[exercise](turns, rng)
    return Example(tokenizer(source).input_ids, tokenizer(target).input_ids)


def _part(turns: list[str], rng: Random) -> list[str]:
    length = rng.randint(2, 5)
    start = rng.randint(0, len(turns) - length)
    return turns[start : start + length]


def _fill(dialogue: str, tokenizer: PreTrainedTokenizerBase, rng: Random) -> Example:
    """Span corruption: sentinels stand for hidden spans, and the answer lists what they hide."""
    head = tokenizer("Fill the gaps in the following dialogue.\n\n", add_special_tokens=False).input_ids
    pieces = tokenizer(dialogue, add_special_tokens=False).input_ids
    sentinels = [tokenizer.convert_tokens_to_ids(sentinel) for sentinel in SENTINELS]
    end, source, target, position = tokenizer.eos_token_id, list(head), [], 0
    for sentinel, (start, length) in zip(sentinels, _spans(len(pieces), rng), strict=False):
        source += [*pieces[position:start], sentinel]
        target += [sentinel, *pieces[start : start + length]]
        position = start + length
    return Example([*source, *pieces[position:], end], [*target, end])


def _spans(pieces: int, rng: Random) -> list[tuple[int, int]]:
    """Starts and lengths of hidden spans, in order and at least one piece apart."""
    share, mean_length = rng.choice(_CORRUPTIONS)
    count = max(1, min(len(SENTINELS), round(pieces * share / mean_length)))
    slot = pieces // count
    spans = []
    for k in range(count):
        length = min(rng.randint(1, 2 * mean_length - 1), slot - 1)
        spans.append((k * slot + rng.randint(0, slot - length - 1), length))
    return spans


def _next_turns(turns: list[str], rng: Random) -> tuple[str, str]:
    cut = rng.randint(1, len(turns) - 1)
    return _ask("Continue", turns[:cut], "Next turns:"), "\n".join(turns[cut : cut + 2])


def _missing_turn(turns: list[str], rng: Random) -> tuple[str, str]:
    gap = rng.randrange(len(turns))
    speaker, said = turns[gap].split(": ", 1)
    return _ask("Complete", [*turns[:gap], f"{speaker}: ...", *turns[gap + 1 :]], "Missing turn:"), said


def _first_turns(turns: list[str], rng: Random) -> tuple[str, str]:
    start = rng.randint(1, min(2, len(turns) - 1))
    return _ask("Begin", turns[start:], "Turns before:"), "\n".join(turns[:start])


def _find_turn(turns: list[str], rng: Random) -> tuple[str, str]:
    turn = rng.choice(turns)
    words = turn.split(": ", 1)[1].split()
    start = rng.randrange(len(words))
    clue = " ".join(words[start : start + 2]).strip(".,?!")
    return _ask(f"Find {clue} in", turns, "Turn:"), turn


def _speaker(turns: list[str], rng: Random) -> tuple[str, str]:
    speaker, said = rng.choice(turns).split(": ", 1)
    return _ask(f"Who says {said.strip('.,?!')} in", turns, "Speaker:"), speaker


def _names(turns: list[str], rng: Random) -> tuple[str, str]:
    found = _NAME.findall(" ".join(turn.split(": ", 1)[1] for turn in turns))
    return _ask("List the names and numbers of", turns, "Names and numbers:"), ", ".join(found) or "none"


def _mend(turns: list[str], rng: Random) -> tuple[str, str]:
    """Two turns without their small words and some others are to be written out again."""
    start = rng.randrange(len(turns) - 1)
    part = turns[start : start + 2]
    kept = [
        " ".join(w for w in turn.split() if not _SMALL_WORD.fullmatch(w) and rng.random() > 0.1)
        for turn in part
    ]
    return _ask("Mend", kept, "Mended:"), "\n".join(part)


def _frame(turns: list[str], rng: Random) -> tuple[str, str]:
    frame, answer = make_frame(turns, rng)
    return _ask(f"Use {frame} for", turns, "Answer:"), answer


def _ask(verb: str, turns: list[str], cue: str) -> str:
    """An instruction, the turns and a cue for the answer, as the prompts of fine-tuning have them."""
    return f"{verb} the following dialogue.\n\n" + "\n".join(turns) + f"\n\n{cue} "


FILL = "fill"
SHARES = {
    FILL: 0.15,
    "next turns": 0.1,
    "missing turn": 0.1,
    "first turns": 0.04,
    "find turn": 0.14,
    "speaker": 0.04,
    "names": 0.1,
    "mend": 0.11,
    "frame": 0.22,
}
"""Each exercise's share of the examples."""

_TEXT_EXERCISES: dict[str, Callable[[list[str], Random], tuple[str, str]]] = {
    "next turns": _next_turns,
    "missing turn": _missing_turn,
    "first turns": _first_turns,
    "find turn": _find_turn,
    "speaker": _speaker,
    "names": _names,
    "mend": _mend,
    "frame": _frame,
}
"""Exercises from turns to texts, a question and its answer; filling gaps works on pieces instead."""
