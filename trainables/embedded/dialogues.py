"""Everyday dialogues with their summaries, generated: the data that ship with tuneoff.

A dialogue is composed of scenes of one situation, small talk that does not matter, and one of several
endings. Its summary is a half that tells who wanted what and one that tells how it ended, in the third person, with slots from several
turns, other words than the speakers use (``fell off my bike`` is told as ``a fall from a bike``) and a name
only where the dialogue gives one. So no turn, and no copy of some turns, is a good summary.

Same seed, same rows, on every machine: only ``random.Random`` with a string seed decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from trainables.embedded import values
from trainables.embedded.grammar import Ending, Pool, Situation, choose_words, fill, lines, slots_of, variants
from trainables.embedded.situations import situations
from trainables.embedded.smalltalk import GOODBYES, SMALL_TALK

REFERENCES = 3
"""Summaries of a test dialogue."""

_UNSEEN_SHARE = 0.4
"""How often a test slot takes a value that training never saw, where its pool has such values."""

_GREETING_SHARE = 0.4
_SMALL_TALK_SHARE = 0.35
_GOODBYE_SHARE = 0.3

_SHARED_SLOTS = {
    "a": values.FIRST_NAME,
    "b": values.FIRST_NAME,
    "other": values.FIRST_NAME,
    "other_day": values.DAY,
    "other_price": values.PRICE,
    "other_town": values.TOWN,
}


@dataclass(frozen=True)
class Dialogue:
    """A composed dialogue and what is needed to tell it."""

    topic: str
    text: str
    gists: tuple[str, ...]
    """Templates of its summaries."""
    speakers: dict[str, str]
    """``#Person1#`` or ``#Person2#`` for the roles ``A`` and ``B``."""
    said: dict[str, str]
    """The values of the slots that the dialogue mentions, as the speakers word them."""
    told: dict[str, str]
    """Slot values as a summary words them; ``A`` and ``B`` are the roles, by name where one is given."""


def generate(
    train: int = 2000, validation: int = 200, test: int = 300, seed: int = 0
) -> dict[str, list[dict[str, str]]]:
    """Rows for each split: id, dialogue, summary (on test: summary1 to summary3), topic.

    No dialogue is in two splits. A split does not depend on how many rows the splits after it have, in the
    order test, validation, train: a larger training split leaves the other two as they are.
    """
    used: set[str] = set()
    rows = {}
    for split, count in (("test", test), ("validation", validation), ("train", train)):
        rows[split] = _rows(split, count=count, seed=seed, used=used)
    return {split: rows[split] for split in ("train", "validation", "test")}


def stream(seed: str, *, unseen: bool = False) -> Iterator[tuple[Dialogue, Random]]:
    """Dialogues without end; ``unseen`` also draws the slot values that are kept for the test split."""
    rng = Random(seed)
    while True:
        yield compose(rng.choice(situations()), rng, unseen=unseen), rng


def compose(situation: Situation, rng: Random, *, unseen: bool) -> Dialogue:
    """One dialogue of a situation."""
    said, told = _draw_values({**_SHARED_SLOTS, **situation.slots}, rng, unseen=unseen)
    ending = rng.choice(situation.endings)
    script = [choose_words(line, rng) for line in _script(situation, ending, rng)]
    opener, other = script[0][0], "AB".replace(script[0][0], "")
    speakers = {opener: "#Person1#", other: "#Person2#"}
    turns = [f"{speakers[line[0]]}: {fill(line[3:], said)}" for line in script]
    mentioned = slots_of(" ".join(script))
    for role, speaker in speakers.items():
        told[role] = said[role.lower()] if role.lower() in mentioned else speaker
    gists = tuple(f"{one} {two}" for one in lines(situation.requests) for two in lines(ending.outcomes))
    said = {slot: value for slot, value in said.items() if slot in mentioned}
    return Dialogue(situation.topic, "\n".join(turns), gists, speakers, said, told)


def summaries(dialogue: Dialogue, rng: Random, count: int) -> list[str]:
    """Different summaries of one dialogue, each from a template of its own."""
    templates = rng.sample(dialogue.gists, count)
    return [fill(choose_words(template, rng), dialogue.told) for template in templates]


def _rows(split: str, *, count: int, seed: int, used: set[str]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    source = stream(f"{seed}/{split}", unseen=split == "test")
    while len(rows) < count:
        dialogue, rng = next(source)
        if dialogue.text in used:
            continue
        used.add(dialogue.text)
        rows.append({"id": f"{split}-{len(rows)}", **_columns(dialogue, rng, split)})
    return rows


def _columns(dialogue: Dialogue, rng: Random, split: str) -> dict[str, str]:
    if split != "test":
        told = {"summary": summaries(dialogue, rng, 1)[0]}
    else:
        told = {f"summary{k}": text for k, text in enumerate(summaries(dialogue, rng, REFERENCES), start=1)}
    return {"dialogue": dialogue.text, **told, "topic": dialogue.topic}


def _script(situation: Situation, ending: Ending, rng: Random) -> list[str]:
    """The lines to be spoken, still with choices and slots in them."""
    scenes = [rng.choice(variants(scene)) for scene in (*situation.scenes, ending.scene)]
    if rng.random() < _SMALL_TALK_SHARE:
        scenes.insert(rng.randint(1, len(scenes) - 1), rng.choice(variants(SMALL_TALK)))
    if situation.greetings and rng.random() < _GREETING_SHARE:
        scenes.insert(0, [rng.choice(lines(situation.greetings))])
    if rng.random() < _GOODBYE_SHARE:
        scenes.append([rng.choice(lines(GOODBYES))])
    return [line for scene in scenes for line in scene]


def _draw_values(
    pools: dict[str, Pool], rng: Random, *, unseen: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """A value for each slot, as said and as told; slots that share a pool get different values."""
    said: dict[str, str] = {}
    told: dict[str, str] = {}
    for slot, pool in pools.items():
        choices = pool.unseen if unseen and pool.unseen and rng.random() < _UNSEEN_SHARE else pool.seen
        value = rng.choice([value for value in choices if value not in said.values()])
        said[slot], *other_wording = re.split(" => ", value)
        told[slot] = other_wording[0] if other_wording else said[slot]
    return said, told
