"""Which methods the tiny models can be fine-tuned with: what a method needs, held against what they have."""

from collections.abc import Sequence

import pytest

import spaces
from trainables import methods

Pair = tuple[str, str]
HAS = {
    "t5": {"torch.nn.Linear layers"},
    "bart": {"torch.nn.Linear layers", "biases"},
    "llama": {"torch.nn.Linear layers", "an output head of its own"},
}
HAS_GPT2 = {"biases"}
FAMILIES = tuple(HAS)
ALL = [(family, method) for family in FAMILIES for method in methods.available()]
REFUSED = [(family, method) for family, method in ALL if spaces.needs(method) not in (None, *HAS[family])]
PAIRS = [pair for pair in ALL if pair not in REFUSED]
TURNS = [
    turns[number % len(turns)]
    for number, method in enumerate(methods.available())
    for turns in [[pair for pair in PAIRS if pair[1] == method]]
]
"""Each method with one family, the families by turns."""


def _slow(pair: Pair, daily: Sequence[Pair] = TURNS) -> list[pytest.MarkDecorator]:
    return [] if pair in daily else [pytest.mark.slow]


def by_turns(pairs: Sequence[Pair], daily: Sequence[Pair]) -> pytest.MarkDecorator:
    """Every pair of a model's name and a method; all but the `daily` ones among slow tests."""
    return pytest.mark.parametrize(
        ("name", "method"), [pytest.param(*pair, marks=_slow(pair, daily)) for pair in pairs]
    )


EVERY_PAIR = pytest.mark.parametrize(
    ("family", "method"), [pytest.param(*pair, marks=_slow(pair)) for pair in PAIRS]
)
"""For what takes long and hardly depends on the family: one family a method, the others among slow tests."""
PAIR_PARAMS = [pytest.param(pair, marks=_slow(pair), id="-".join(pair)) for pair in PAIRS]
"""The same for a fixture, whose parameter is a pair."""
EVERY_REFUSED_PAIR = pytest.mark.parametrize(("family", "method"), REFUSED)
