"""The small language in which the situations are written.

A *scene* is a string of spoken lines, ``A: ...`` and ``B: ...``; a blank line separates its variants.
Within a line, ``[hello|good morning]`` is one of several wordings (nesting is allowed) and ``{place}`` is a
slot. Every scene is opened by A and closed by B and leaves no question open, so that small talk may be
put between any two of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_SENTENCE_START = re.compile(r"(^|[.?!] )([a-z])")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeio]|u(?!s))")


@dataclass(frozen=True)
class Pool:
    """The values of a slot. A value ``said => told`` is worded differently in dialogue and summary."""

    seen: tuple[str, ...]
    unseen: tuple[str, ...] = ()
    """Values kept for the test split: the training and validation splits never use them."""


def pool(seen: str, unseen: str = "") -> Pool:
    """A pool from values separated by semicolons."""
    return Pool(_values(seen), _values(unseen))


def _values(text: str) -> tuple[str, ...]:
    return tuple(value.strip() for value in text.split(";") if value.strip())


@dataclass(frozen=True)
class Ending:
    """How a story may end: the last scene, and how a bystander would tell of it."""

    scene: str
    outcomes: str
    """Second halves of a summary, one a line."""


@dataclass(frozen=True)
class Situation:
    """An everyday errand: its slots, its scenes in order, and its endings."""

    topic: str
    slots: Mapping[str, Pool]
    scenes: tuple[str, ...]
    endings: tuple[Ending, ...]
    requests: str
    """First halves of a summary, what A came for, one a line."""
    greetings: str = ""
    """Lines with which B may open, one a line; A opens where none is drawn."""


def variants(scene: str) -> list[list[str]]:
    """The variants of a scene, each a list of ``A: ...`` lines."""
    return [block.split("\n") for block in re.split(r"\n\s*\n", scene.strip())]


def lines(text: str) -> list[str]:
    """The non-empty lines of a text block."""
    return [line for line in text.strip().split("\n") if line]


def slots_of(text: str) -> set[str]:
    """The slot names a text mentions."""
    return set(_SLOT.findall(text))


def choose_words(text: str, rng: Random) -> str:
    """Settle every ``[a|b]`` of a text, the innermost first."""
    while _CHOICE.search(text):
        text = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), text)
    return text


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in slots, then mend capitals, articles and double spaces."""
    text = _SLOT.sub(lambda match: values[match[1]], text)
    text = re.sub(r" +", " ", text).strip()
    text = _ARTICLE.sub(r"\1n ", text)
    return _SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)
