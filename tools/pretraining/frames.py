"""The exercise that makes prompts matter: words that the prompt dictates, with gaps to fill from a dialogue.

``river (name) walks (after table) #Person1#`` with a dialogue about Laura who wants a table by the window is
answered by ``river Laura walks by the #Person1#``. Half of the frames are random words, so that any words may
be dictated, and half are turns of other dialogues. A frozen model that has learned this lets a few trained
vectors in front of the dialogue decide what it says: without it, prompt tuning taught this model nothing.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import islice
from random import Random

from trainables.embedded.dialogues import stream

_KINDS = {
    "time": re.compile(r"half past [a-z]+|[a-z]+ o'clock"),
    "day": re.compile(r"[A-Z][a-z]+day"),
    "number": re.compile(r"\d+(?: \d+)*"),
    "name": re.compile(r"(?<=[a-z,] )(?![A-Z][a-z]*day)[A-Z][a-z]+(?: [A-Z][a-z]+)*"),
}
_WORD = re.compile(r"[A-Za-z']+|\d+")
_LITERAL_SHARE = 0.45
_INVENTED_SHARE = 0.2
"""How many dictated words are two halves of different words: summaries have words that no dialogue has."""
_SOURCE_DIALOGUES = 300


def make_frame(turns: list[str], rng: Random) -> tuple[str, str]:
    """A frame and the frame filled in from the turns."""
    text = " ".join(turn.split(": ", 1)[1] for turn in turns)
    return _borrowed(text, rng) if rng.random() < 0.5 else _random(text, rng)


def _random(text: str, rng: Random) -> tuple[str, str]:
    fillings = {kind: found for kind, pattern in _KINDS.items() if (found := pattern.findall(text))}
    frame, answer = [], []
    for _ in range(rng.randint(3, 9)):
        if rng.random() < _LITERAL_SHARE:
            gap = filling = _literal(rng)
        elif fillings and rng.random() < 0.5:
            kind = rng.choice([*fillings])
            gap, filling = f"({kind})", _next(fillings[kind])
        else:
            gap, filling = _after(text, rng)
        frame.append(gap)
        answer.append(filling)
    return " ".join(frame), " ".join(answer)


def _borrowed(text: str, rng: Random) -> tuple[str, str]:
    """A turn of another dialogue, its names, days and numbers replaced where the text has others."""
    answer = frame = rng.choice(_foreign_turns())
    for kind, pattern in _KINDS.items():
        for filling, mine in zip(pattern.findall(text), pattern.findall(frame), strict=False):
            frame = frame.replace(mine, f"({kind})", 1)
            answer = answer.replace(mine, filling, 1)
    return frame, answer


def _next(found: list[str]) -> str:
    """The first one, which then goes to the end of the queue."""
    found.append(found.pop(0))
    return found[-1]


def _after(text: str, rng: Random) -> tuple[str, str]:
    """A gap for the one to three words that follow a word's first occurrence."""
    words = _WORD.findall(text)
    start = words.index(rng.choice(words[:-1] or words))
    return f"(after {words[start]})", " ".join(words[start + 1 : start + 1 + rng.randint(1, 3)])


def _literal(rng: Random) -> str:
    word = rng.choice(_vocabulary())
    if rng.random() > _INVENTED_SHARE or "#" in word:
        return word
    other = rng.choice(_vocabulary())
    return word[: rng.randint(1, 4)] + other[-rng.randint(2, 5) :].lower()


@cache
def _foreign_turns() -> tuple[str, ...]:
    dialogues = islice(stream("frames"), _SOURCE_DIALOGUES)
    return tuple(turn.split(": ", 1)[1] for dialogue, _ in dialogues for turn in dialogue.text.split("\n"))


@cache
def _vocabulary() -> tuple[str, ...]:
    """Words to dictate; the speakers count a twentieth each, because most summaries name them."""
    words = sorted({word for turn in _foreign_turns() for word in _WORD.findall(turn)})
    return (*words, *(len(words) // 18 * ["#Person1#", "#Person2#"]))
