"""The exercise that makes prompts matter: words that the prompt dictates, with gaps to fill from a dialogue.

``river (day) walks (after table) (asks)`` with a dialogue in which Laura asks for a table by the window on
Monday is answered by ``river Monday walks by the Laura``. Some frames are random words, so that any words
may be dictated; some are sentences in the third person, whose sense nobody vouches for. A frozen model that
has learned this lets a few trained vectors in front of the dialogue decide what it says: without it, prompt
tuning taught this model nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import islice
from random import Random

from trainables.embedded.dialogues import stream

_WORD = re.compile(r"[A-Za-z']+|\d+")
_SENTENCE_SHARE = 0.6
_LITERAL_SHARE = 0.45
_INVENTED_SHARE = 0.2
"""How many dictated words are two halves of different words: summaries have words that no dialogue has."""
_SOURCE_DIALOGUES = 300
_VERBS = re.findall(
    "[a-z]+",
    """wants asks gets gives takes pays brings needs refuses agrees accepts finds returns chooses offers
    leaves sends tells suggests lends buys sells calls decides complains recommends changes books says loses
    comes goes""",
)
_LINKS = ("", "a", "the", "for", "to", "with", "from", "on", "at", "of", "by", "about", "back", "instead of")
_JOINS = (", and ", ", but ", ", so ", ", because ", ". ", " and ", " that ")


def make_frame(text: str, facts: Mapping[str, str], rng: Random) -> tuple[str, str]:
    """A frame and the frame filled in; `facts` has the fillings of its gaps by name, roles included."""
    if rng.random() < _SENTENCE_SHARE:
        return _sentence(facts, rng)
    return _random(text, facts, rng)


def _sentence(facts: Mapping[str, str], rng: Random) -> tuple[str, str]:
    def clause() -> str:
        who, what = rng.choice(("asks", "answers")), rng.choice([*facts])
        return " ".join(f"({who}) {rng.choice(_VERBS)} {rng.choice(_LINKS)} ({what})".split())

    frame = clause()
    for _ in range(rng.randint(0, 2)):
        frame += rng.choice(_JOINS) + clause()
    return frame, re.sub(r"\(([^)]+)\)", lambda match: facts[match[1]], frame) + "."


def _random(text: str, facts: Mapping[str, str], rng: Random) -> tuple[str, str]:
    frame, answer = [], []
    for _ in range(rng.randint(3, 9)):
        if rng.random() < _LITERAL_SHARE:
            gap = filling = _literal(rng)
        elif rng.random() < 0.6:
            name = rng.choice([*facts])
            gap, filling = f"({name})", facts[name]
        else:
            gap, filling = _after(text, rng)
        frame.append(gap)
        answer.append(filling)
    return " ".join(frame), " ".join(answer)


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
def _vocabulary() -> tuple[str, ...]:
    """Words to dictate; the speakers count a twentieth each, because most summaries name them."""
    dialogues = islice(stream("frames"), _SOURCE_DIALOGUES)
    words = sorted({word for dialogue, _ in dialogues for word in _WORD.findall(dialogue.text)})
    return (*words, *(len(words) // 18 * ["#Person1#", "#Person2#"]))
