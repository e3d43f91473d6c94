"""What may vary: the searchable hyperparameters of each method.

A space is a file of this package, found by its name: `spaces/lora.py` is the space `"lora"`. It holds

- `SPACE`: the hyperparameters and their ranges, as optuna distributions;
- `DEFAULT`: the untuned point, where someone starts who does not search.

Nothing here knows how a method trains, so a search can be planned, checked and drawn without torch.
"""

import pkgutil
from importlib import import_module

from spaces._dimension import Value, describe
from spaces._problem import Problem, ProblemsError, did_you_mean, shown
from spaces._space import Space

__all__ = [
    "Problem",
    "ProblemsError",
    "Space",
    "Value",
    "available",
    "describe",
    "did_you_mean",
    "get",
    "shown",
]


def available() -> list[str]:
    """The names of all spaces, sorted."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in names if name != "common" and not name.startswith("_"))


def get(name: str) -> Space:
    """The whole space of the method `name`; ValueError with the choices where there is none."""
    choices = available()
    if name not in choices:
        raise ValueError(
            f"unknown method {shown(name)}: must be one of {', '.join(choices)}{did_you_mean(name, choices)}"
        )
    module = import_module(f".{name}", __name__)
    return Space(name=name, distributions=dict(module.SPACE), default=dict(module.DEFAULT))
