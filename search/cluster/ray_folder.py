"""Where a Ray that tuneoff starts keeps its logs, its sockets and what it spills, which is data."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir, mkdtemp

LONGEST_TEMPORARY = 20
"""Characters: a socket's path below it may have 107."""
KEPT = "kept"
"""A file that says that the folder stays."""

logger = logging.getLogger(__name__)


@contextmanager
def own_folder() -> Iterator[Path | None]:
    """Provide a folder for a Ray that is started here, which nobody else may enter: its files hold data.

    It goes with the block, and at once where Ray is killed. None, and nothing goes, where the user has said
    by `RAY_TMPDIR` where Ray is to keep its files.
    """
    if "RAY_TMPDIR" in os.environ:
        yield None
        return
    base = gettempdir()
    folder = Path(mkdtemp(prefix="ray-", dir=base if len(base) <= LONGEST_TEMPORARY else "/tmp"))
    try:
        yield folder
    finally:
        if not (folder / KEPT).exists():
            shutil.rmtree(folder, ignore_errors=True)


def keep_logs(folder: Path | None) -> None:
    """Have `own_folder` leave its folder, and say where it is."""
    if folder is not None:
        (folder / KEPT).touch()
        logger.warning("Ray's logs are kept in %s.", folder)
