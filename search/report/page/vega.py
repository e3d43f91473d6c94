"""The scripts that draw the page's charts: Vega, Vega-Lite and Vega-Embed in one."""

from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import platformdirs
import vl_convert

from trainables.storage.atomic import write_text

PACKAGE = "vl-convert-python"


@cache
def scripts(folder: Path | None = None) -> str:
    """Return the content of the page's script element, which no text in it can end early.

    vl-convert takes longer to put it together than all else on a page takes, and a release of it always makes
    the same: it is kept in `folder` where that can be, the user's cache folder by default.
    """
    file = (folder or platformdirs.user_cache_path("tuneoff")) / f"vega-{version(PACKAGE)}.js"
    return (_kept(file) or _made(file)).replace("</script", "<\\/script")


def _kept(file: Path) -> str | None:
    with suppress(OSError):
        return file.read_bytes().decode()
    return None


def _made(file: Path) -> str:
    bundle: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub wants its options
    with suppress(OSError):
        write_text(file, bundle)
    return bundle
