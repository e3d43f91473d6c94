"""A library that another one imports only because it is there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def absent(module: str) -> Iterator[None]:
    """For the length of the block `import module` fails, unless it has been imported already."""
    if module in sys.modules:
        yield
        return
    # None is how Python's own import system marks a module that must not be looked for.
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
