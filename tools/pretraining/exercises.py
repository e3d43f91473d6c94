"""What the embedded model is pretrained on: exercises made from a dialogue and the values of its slots.

No exercise sees a summary. Their instructions differ, and so do their kinds of answer, because a model that
does one thing only cannot be steered by a prompt. Finding, listing and mending make it copy what it reads;
noting facts and reporting turns make it find who does what, and say it in the third person: a summary has to
select from that. Span corruption follows T5 (arXiv 1910.10683), with UL2's mixture of mild and heavy
corruption (arXiv 2205.05131).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random

from transformers import PreTrainedTokenizerBase

from tools.pretraining.frames import make_frame
from tools.pretraining.reported import reported
from tools.pretraining.tokenizer import SENTINELS
from trainables.embedded.dialogues import Dialogue

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


@dataclass(frozen=True)
class Reading:
    """Turns in a row, and what they tell."""

    turns: list[str]
    names: dict[str, str]
    """What ``#Person1#`` and ``#Person2#`` are called in the third person."""
    facts: dict[str, str]
    """The slot values that they mention, as a summary words them, and who ``asks`` and who ``answers``."""


def read(dialogue: Dialogue, turns: list[str]) -> Reading:
    """What some turns of a dialogue tell."""
    text = "\n".join(turns)
    names = {
        speaker: dialogue.told[role] if dialogue.told[role] in text else speaker
        for role, speaker in dialogue.speakers.items()
    }
    facts = {"asks": names[dialogue.speakers["A"]], "answers": names[dialogue.speakers["B"]]}
    for slot, said in dialogue.said.items():
        if slot not in ("a", "b") and re.search(rf"\b{re.escape(said)}(?!\w)", text, re.IGNORECASE):
            facts[slot.replace("_", " ").replace("2", " 2")] = dialogue.told[slot]
    return Reading(turns, names, facts)


def make_example(
    dialogue: Dialogue, tokenizer: PreTrainedTokenizerBase, rng: Random, *, part_share: float = 0.0
) -> Example:
    """A random exercise on a dialogue or, so often as told, on a few of its turns in a row."""
    turns = dialogue.text.split("\n")
    if rng.random() < part_share:
        turns = _part(turns, rng)
    exercise = rng.choices([*SHARES], weights=[*SHARES.values()])[0]
    if exercise == FILL:
        return _fill("\n".join(turns), tokenizer, rng)
    if exercise in _READING_EXERCISES:
        source, target = _READING_EXERCISES[exercise](read(dialogue, turns), rng)
    else:
        source, target = _TEXT_EXERCISES[exercise](turns, rng)
    return Example(tokenizer(source).input_ids, tokenizer(target).input_ids)


def exercise_texts(dialogues: Iterable[Dialogue], rng: Random) -> Iterator[str]:
    """Dialogues, each with what an exercise has for an answer: what a tokenizer is made for."""
    for dialogue in dialogues:
        yield dialogue.text
        yield rng.choice([*_READING_EXERCISES.values()])(read(dialogue, dialogue.text.split("\n")), rng)[1]


def _part(turns: list[str], rng: Random) -> list[str]:
    length = rng.randint(2, min(5, len(turns)))
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


def _missing_turn(turns: list[str], rng: Random) -> tuple[str, str]:
    gap = rng.randrange(len(turns))
    speaker, said = turns[gap].split(": ", 1)
    return _ask("Complete", [*turns[:gap], f"{speaker}: ...", *turns[gap + 1 :]], "Missing turn:"), said


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


def _frame(reading: Reading, rng: Random) -> tuple[str, str]:
    text = " ".join(turn.split(": ", 1)[1] for turn in reading.turns)
    frame, answer = make_frame(text, reading.facts, rng)
    return _ask(f"Use {frame} for", reading.turns, "Answer:"), answer


def _notes(reading: Reading, rng: Random) -> tuple[str, str]:
    """Facts that are asked for by name."""
    asked = rng.sample([*reading.facts], rng.randint(2, min(6, len(reading.facts))))
    noted = "; ".join(f"{name}: {reading.facts[name]}" for name in asked)
    return _ask(f"Note {', '.join(asked)} of", reading.turns, "Notes:"), noted


def _report(reading: Reading, rng: Random) -> tuple[str, str]:
    """A turn and the one after it in the third person."""
    start = rng.randrange(len(reading.turns))
    part = reading.turns[start : start + 2]
    clue = " ".join(part[0].split(": ", 1)[1].split()[:3]).strip(".,?!")
    return _ask(f"Report {clue} in", reading.turns, "Report:"), reported(part, reading.names)


def _ask(verb: str, turns: list[str], cue: str) -> str:
    """An instruction, the turns and a cue for the answer, as the prompts of fine-tuning have them."""
    return f"{verb} the following dialogue.\n\n" + "\n".join(turns) + f"\n\n{cue} "


FILL = "fill"
SHARES = {
    FILL: 0.08,
    "missing turn": 0.04,
    "find turn": 0.12,
    "speaker": 0.03,
    "names": 0.07,
    "mend": 0.08,
    "notes": 0.18,
    "report": 0.2,
    "frame": 0.2,
}
"""Each exercise's share of the examples."""

_TEXT_EXERCISES: dict[str, Callable[[list[str], Random], tuple[str, str]]] = {
    "missing turn": _missing_turn,
    "find turn": _find_turn,
    "speaker": _speaker,
    "names": _names,
    "mend": _mend,
}
"""Exercises from turns to texts, a question and its answer; filling gaps works on pieces instead."""

_READING_EXERCISES: dict[str, Callable[[Reading, Random], tuple[str, str]]] = {
    "notes": _notes,
    "report": _report,
    "frame": _frame,
}
"""Those that need to know what the turns tell."""
