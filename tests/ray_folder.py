"""Where every Ray of the tests keeps its files, also one that a process of a test starts."""

from pathlib import Path
from tempfile import mkdtemp

RAY_FOLDER = Path(mkdtemp(prefix="ray-", dir="/tmp"))
"""Not in pytest's folder: a socket's path must be short."""
