"""The token that Ray asks for: who has it runs code as the user who started Ray.

Left to itself, Ray keeps one token for all that a user starts, in a file of the home folder that every user
of the machine can read.
"""

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from search.compat import reload_token

MODE, TOKEN, FILE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
"""What of the environment Ray reads: whether it asks for a token, the token itself, or else its file."""

logger = logging.getLogger(__name__)


@contextmanager
def own_token() -> Iterator[None]:
    """Have Ray ask for a new token, which lasts as long as the block, in a file that only this user can read.

    Where the user has switched authentication off it stays off.
    """
    if not _is_wanted():
        reload_token()
        yield
        return
    with TemporaryDirectory(prefix="tuneoff-") as folder:  # nobody else may enter it
        file = Path(folder) / "auth_token"
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32))
        before = {name: os.environ.pop(name, None) for name in (MODE, TOKEN, FILE)}
        os.environ.update({MODE: "token", FILE: str(file)})
        reload_token()
        try:
            yield
        finally:
            for name in (MODE, FILE):
                del os.environ[name]
            os.environ.update({name: value for name, value in before.items() if value is not None})
            reload_token()


def guard_token() -> None:
    """Make the file private from which Ray reads the user's token, and say so, where others can read it."""
    reload_token()
    file = Path(os.environ.get(FILE) or Path(os.environ.get("HOME", "/"), ".ray/auth_token"))
    if not _is_wanted() or os.environ.get(TOKEN) or not file.is_file() or not file.stat().st_mode & 0o077:
        return
    try:
        file.chmod(0o600)
        outcome = "it is private now"
    except OSError as error:
        outcome = f"chmod 600 it ({error.strerror})"
    logger.warning("Others could read Ray's token in %s, and run code as you: %s.", file, outcome)


def _is_wanted() -> bool:
    return os.environ.get(MODE, "token").lower() == "token"
