"""What may vary: the searchable hyperparameters of each method.

A space is a file of this package, found by its name: `spaces/lora.py` is the space `"lora"`. It holds

- `SPACE`: the hyperparameters and their ranges, as optuna distributions; of words that differ in memory
  the one that takes the most stands last;
- `DEFAULT`: the default configuration, where someone starts who does not search;
- `NEEDS`, where the method is not for all models: what it trains, in words that follow "a model with".

Nothing here knows how a method trains, so a search can be planned, checked and drawn without torch.
"""

import pkgutil
from importlib import import_module
from types import ModuleType

from spaces import common
from spaces._dimension import Value, describe
from spaces._dimension import costliest as _costliest
from spaces._problem import Problem, ProblemsError, did_you_mean, shown
from spaces._space import Space

COMMON = tuple(common.SPACE)
"""Hyperparameters that all methods have beside a learning rate of their own."""

__all__ = [
    "COMMON",
    "Problem",
    "ProblemsError",
    "Space",
    "Value",
    "available",
    "costliest",
    "describe",
    "did_you_mean",
    "get",
    "needs",
    "shown",
    "summary",
]


def available() -> list[str]:
    """Return the names of all spaces, sorted."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in names if name != "common" and not name.startswith("_"))


def get(name: str) -> Space:
    """Return the whole space of the method `name`.

    Raises:
        ValueError: there is no such method; the message lists the choices.
    """
    module = _module(name)
    return Space(name=name, distributions=dict(module.SPACE), default=dict(module.DEFAULT))


def summary(name: str) -> str:
    """Return the method `name` and its paper, in one line."""
    return (_module(name).__doc__ or "").splitlines()[0].removesuffix(".")


def needs(name: str) -> str | None:
    """Return what a model must have for the method `name`; None: any supported model has it."""
    needed: str | None = getattr(_module(name), "NEEDS", None)
    return needed


def _module(name: str) -> ModuleType:
    choices = available()
    if name not in choices:
        raise ValueError(
            f"unknown method {shown(name)}: must be one of {', '.join(choices)}{did_you_mean(name, choices)}"
        )
    return import_module(f".{name}", __name__)


def costliest(space: Space) -> dict[str, Value]:
    """Return the point of a (narrowed) space at which a training step takes the most memory."""
    whole = get(space.name).distributions
    return space.complete(
        {key: _costliest(part, space.default[key], whole[key]) for key, part in space.distributions.items()}
    )
