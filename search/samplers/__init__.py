"""What proposes hyperparameters, one file a sampler, found by its name.

A sampler's file holds `SAMPLER`, a `Sampler`. A proposal is a function of the seed and of the trials before:
a search that is rebuilt from its records goes on as the unbroken one would. Nothing here knows the sweep
file, the records or how studies are stored; libraries that only one sampler needs are imported where it uses
them, because a report asks for names and limits too.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from search.samplers._sampler import BROKE, Next, Sampler, Searched

__all__ = ["BROKE", "Next", "Searched", "available", "get"]


@cache
def available() -> list[str]:
    """The names of all samplers, the default, `tpe`, first: against the alphabet."""
    names = (module.name for module in iter_modules(__path__))
    return sorted((name for name in names if not name.startswith("_")), reverse=True)


def get(name: str) -> Sampler:
    """The sampler called `name`, one of `available()`."""
    assert name in available(), name
    sampler: Sampler = import_module(f"{__name__}.{name}").SAMPLER
    return sampler
