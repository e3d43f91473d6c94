"""Records that nobody should write: each is read, or named as damaged; nothing ends in a traceback."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.records import load_results, sound_records, verify
from search.records.record import Record
from search.records.repair import repair
from search.verdict import verdict
from tests.fuzzing import FUZZED
from tests.search.conftest import Planted
from trainables.errors import InputError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
RUNG = ("rung", "examples", "score", "scores", "cost")
PLACES = [*Record.model_fields, "unknown", *(f"rungs.{key}" for key in RUNG), "hyperparameters.learning_rate"]
CONTENT = st.binary(max_size=60) | JSON.map(json.dumps).map(str.encode)


def altered(content: dict[str, Any], place: str, value: Any) -> bytes:
    """The record with another value at one place; of `rungs` in the last."""
    first, _, last = place.partition(".")
    here = content if not last else content[first]
    here = here[-1] if isinstance(here, list) else here
    here[last or first] = value
    return json.dumps(content).encode()


def ends_in_words(planted: Planted, content: bytes) -> list[Record]:
    """Put it in the place of a record; return what is read in the end."""
    file = planted.folder.root / "trials" / "lora" / "0001.json"
    whole = file.read_bytes()
    file.write_bytes(content)
    try:
        list(verify(planted.root, contents=False))
        said = list(problems(planted))
        assert all(str(file) in problem for problem in said)
        return sound_records(planted.folder) if not said else []
    except InputError as error:  # of a newer format, which verify too refuses
        assert str(file) in str(error)  # noqa: PT017
        return []
    finally:
        for other in file.parent.glob("0001.json*"):
            other.unlink()
        file.write_bytes(whole)


def problems(planted: Planted) -> Iterator[str]:
    try:
        load_results(planted.root)
    except InputError as error:
        yield str(error)
        yield from repair(planted.folder)


@settings(FUZZED, max_examples=50)
@given(content=CONTENT)
def test_any_content_is_a_record_or_is_named(content: bytes, searched: Planted) -> None:
    ends_in_words(searched, content)


@settings(FUZZED, max_examples=50)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_value_anywhere_is_a_record_or_is_named(place: str, value: Any, searched: Planted) -> None:
    whole = json.loads((searched.folder.root / "trials" / "lora" / "0001.json").read_bytes())
    ends_in_words(searched, altered(whole, place, value))


@pytest.mark.slow
@settings(FUZZED, max_examples=100)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_what_is_read_as_a_record_has_a_verdict(place: str, value: Any, finished: Planted) -> None:
    file = finished.folder.root / "trials" / "lora" / "0001.json"
    whole = file.read_bytes()
    if ends_in_words(finished, content := altered(json.loads(whole), place, value)):
        file.write_bytes(content)
        try:
            assert verdict(load_results(finished.root)).summary
        finally:
            file.write_bytes(whole)
