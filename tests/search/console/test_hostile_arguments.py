"""Command lines that nobody should write: each ends with an exit code and in words."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzzing import FUZZED

COMMANDS = ("report", "verify", "resume", "export", "compare", "methods", "check", "run", "init", "schema")
OPTIONS = (
    "--to", "--live", "--folder", "--address", "--audit", "--strict", "--no-checks", "--method", "--seed",
    "--validation", "--data", "--model", "--type", "--methods", "--source", "--help", "--", "-1", "=", "",
)  # fmt: skip
WORDS = st.sampled_from(OPTIONS) | st.sampled_from(["runs/x", "x.yaml", "ftp://a/b", "s3://", "~nobody/x"])
ARGUMENTS = st.lists(WORDS | st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=4)


@settings(FUZZED, max_examples=100)
@given(command=st.sampled_from(COMMANDS), arguments=ARGUMENTS)
def test_any_command_line_ends_in_words(
    command: str,
    arguments: list[str],
    tuneoff: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, out, error = tuneoff(command, *(argument.replace("/", "") or "/" for argument in arguments))
    assert code in (0, 1, 2)
    assert (out if code == 0 else error).strip()
