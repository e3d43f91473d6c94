"""Sweep files and overrides that nobody should write: each ends in an error that names the file, soon."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from search.config import Resources, Sweep, load_sweep
from search.config.problems import MOST_SHOWN, SweepError
from search.config.settings import Final, Search
from search.config.yaml_file import MOST_BYTES, MOST_DEPTH, MOST_NODES
from tests.fuzzing import FUZZED
from trainables.errors import InputError
from trainables.task import Task

SWEEP: dict[str, Any] = {
    "name": "small",
    "task": {
        "model": "embedded",
        "data": "embedded",
        "source": "dialogue",
        "target": "summary",
        "prompt": "Summarize.\n\n{dialogue}",
    },
    "methods": {"lora": {"space": {"learning_rate": {"low": 1e-4, "high": 1e-3}}}},
    "search": {"trials_per_method": 2},
    "final": {"seeds": 2},
    "resources": {"cpus_per_trial": 1},
    "tracking": [],
}


def bomb(levels: int = 10, each: int = 9) -> str:
    """Aliases that stand for `each ** levels` values."""
    lines = ["a0: &a0 [x]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * each)}]")
    return "\n".join(lines)


HOSTILE = {
    "aliases": (bomb(), f"more than {MOST_NODES:,} values"),
    "an alias of itself": ("a: &a [*a]", "refers to itself"),
    "nesting": (f"a: {'[' * 500}{']' * 500}", f"nested more than {MOST_DEPTH} levels deep"),
    "keys": ("".join(f"k{n}: 1\n" for n in range(MOST_NODES)), f"more than {MOST_NODES:,} values"),
    "bytes": (f"name: {'x' * MOST_BYTES}", "larger than 1 MB"),
    "a date that is none": ("name: !!timestamp foo", "does not parse as YAML"),
    "a number that is none": ("name: !!int ''", "does not parse as YAML"),
    "a truth that is none": ("name: !!bool foo", "does not parse as YAML"),
    "pairs that are none": ("name: !!omap foo", "does not parse as YAML"),
    "an object of Python": ("name: !!python/object/apply:os.getcwd []", "does not parse as YAML"),
    "an anchor of nothing": ("a: *nobody", "does not parse as YAML"),
    "two documents": ("a: 1\n---\nb: 2", "does not parse as YAML"),
    "no text": ("\x00\x01", "does not parse as YAML"),
}


def refused(file: Path, *overrides: str) -> SweepError:
    with pytest.raises(SweepError) as error:
        load_sweep(file, overrides)
    return error.value


@pytest.mark.parametrize(("text", "message"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.timeout(20)
def test_a_hostile_file_is_refused_in_words(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(text, encoding="utf-8")
    assert message in str(refused(file))


def test_of_many_problems_some_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text("".join(f"k{n}: 1\n" for n in range(200)), encoding="utf-8")
    error = refused(file)
    assert len(error.problems) == 203  # with the three keys that are required
    assert len(str(error).splitlines()) == 1 + MOST_SHOWN + 1
    assert str(error).splitlines()[0] == f"{file}: 203 problems"
    assert str(error).splitlines()[-1] == f"  and {203 - MOST_SHOWN} more"


NAMES = {
    "of a user that is none": "~nobody-of-that-name/x",
    "with a NUL": "a\0b",
    "too long for any disk": "a" * 5000,
    "with half a character": "\ud800",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_no_path_is_beyond_words(name: str, tmp_path: Path) -> None:
    assert "no such file, nor a bundled sweep" in str(refused(Path(name)))
    for key in ("data", "model", "metric"):
        file = write(tmp_path, SWEEP | {"task": SWEEP["task"] | {key: name}})
        told = outcome(file)  # a name that may be one of the hub's is looked for there
        assert told is None or f"task.{key}" in str(told) or "which no text or path may hold" in str(told)


def write(folder: Path, content: dict[str, Any]) -> Path:
    file = folder / "sweep.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8", errors="surrogatepass")
    return file


def outcome(file: Path, *overrides: str) -> InputError | None:
    """What is wrong with a sweep file; None: nothing."""
    try:
        load_sweep(file, overrides)
    except InputError as error:
        return error
    return None


VALUES: list[Any] = [5, -1, True, None, "", "x", [1], {"a": 1}, 10**400, "~x/y"]
SECTIONS = {"task": Task, "search": Search, "final": Final, "resources": Resources}
PLACES = [
    *(f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields),
    *(key for key in Sweep.model_fields if key != "format"),
    *("methods.lora", "methods.lora.space", "methods.lora.space.rank", "methods.lora.fix", "task.data.train"),
]


def altered(place: str, value: Any) -> dict[str, Any]:
    """The sweep with another value at one place."""
    content = yaml.safe_load(yaml.safe_dump(SWEEP))
    here = content
    *parents, last = place.split(".")
    for parent in parents:
        if not isinstance(here.get(parent), dict):
            here[parent] = {}
        here = here[parent]
    here[last] = value
    return dict(content)


@pytest.mark.parametrize("place", PLACES)
def test_a_wrong_value_anywhere_is_named_with_its_key(place: str, tmp_path: Path) -> None:
    top = place.partition(".")[0]
    for value in VALUES:
        error = outcome(write(tmp_path, altered(place, value)))
        if error is not None:
            assert isinstance(error, SweepError)
            assert all(str(problem).startswith((top, "search", "holds")) for problem in error.problems), value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@FUZZED
@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_value_anywhere_is_a_sweep_or_an_error_in_words(place: str, value: Any, tmp_path: Path) -> None:
    file = write(tmp_path, altered(place, value))
    assert str(file) in str(outcome(file) or file)


@FUZZED
@given(text=st.text(alphabet="ab:-[]{}&*!|>'\"#%,? \n\t0.e1~", max_size=60) | st.binary(max_size=40))
def test_any_text_is_an_error_in_words(text: str | bytes, tmp_path: Path) -> None:
    file = tmp_path / "text.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert str(file) in str(refused(file))


OVERRIDES = st.builds("{}={}".format, st.sampled_from(PLACES), st.text(max_size=20))


@FUZZED
@given(override=st.text(max_size=30) | OVERRIDES)
def test_any_override_is_a_sweep_or_an_error_in_words(override: str, tmp_path: Path) -> None:
    file = write(tmp_path, SWEEP)
    assert str(file) in str(outcome(file, override) or file)
