"""Who has a Ray's token runs code as its owner: nobody else has it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import ray

from search.cluster.connection import connected
from search.cluster.ray_token import guard_token
from trainables.errors import InputError

CALLER = """
from ray._raylet import GcsClient
from ray.exceptions import AuthenticationError
try:
    GcsClient(address={address!r}).internal_kv_keys(b"", None)
    print("answered")
except AuthenticationError:
    print("refused")
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of a user who has said nothing about Ray's authentication."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def token(home: Path) -> Path:
    """A token as Ray leaves it there."""
    file = home / ".ray/auth_token"
    file.parent.mkdir()
    file.write_text("planted")
    file.chmod(0o644)
    return file


def call(address: str, **environment: str) -> str:
    """What becomes of a call to that Ray by another process."""
    code = CALLER.format(address=address)
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip()


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_ray_that_is_started_here_has_a_token_of_its_own_that_only_its_owner_can_read(
    token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "planted too")
    before, tokens = dict(os.environ), []
    for _ in range(2):
        with connected(None):
            file = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
            tokens.append(file.read_text())
            assert (mode(file), mode(file.parent)) == (0o600, 0o700)
            address = ray.get_runtime_context().gcs_address
            assert call(address) == "answered"
            for stranger in ({"RAY_AUTH_TOKEN": "planted"}, {"RAY_AUTH_MODE": "disabled"}):
                assert call(address, **stranger) == "refused"
        assert not file.exists()
        assert {name: os.environ.get(name) for name in before} == before
        assert "RAY_AUTH_TOKEN_PATH" not in os.environ
    assert len({*tokens, "planted", "planted too"}) == 4


def test_a_token_that_others_could_read_is_made_private_where_a_cluster_is_joined(
    token: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InputError), connected("127.0.0.1:1"):
        pytest.fail("there is no such cluster")
    assert mode(token) == 0o600
    assert caplog.messages == [
        f"Others could read Ray's token in {token}, and run code as you: it is private now."
    ]
    guard_token()
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("set_already", [{"RAY_AUTH_TOKEN": "mine"}, {"RAY_AUTH_MODE": "disabled"}])
def test_a_token_that_is_not_used_is_let_alone(
    token: Path, monkeypatch: pytest.MonkeyPatch, set_already: dict[str, str]
) -> None:
    for name, value in set_already.items():
        monkeypatch.setenv(name, value)
    guard_token()
    assert mode(token) == 0o644


def test_a_token_that_cannot_be_made_private_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/proc/self/status")
    guard_token()
    assert caplog.messages == [
        "Others could read Ray's token in /proc/self/status, and run code as you: chmod 600 it "
        "(Operation not permitted)."
    ]


def test_without_a_token_there_is_nothing_to_tell(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    guard_token()
    assert caplog.messages == []
