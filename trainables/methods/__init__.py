"""The ways to fine-tune, one file each, found by its name.

A method's file has one function, `attach(model, hyperparameters, task) -> model`: it makes the
parameters that the method trains, and only these, require a gradient. It may wrap the model (peft);
`trainables.model.LoadedModel` takes it off again. It raises `NotApplicable` where the model lacks what it
trains. Its searchable hyperparameters are in `spaces/<name>.py`.

A method that does more at a step than follow the gradient has a second function,
`callback(model, hyperparameters, steps) -> Callback`.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Protocol

from transformers import PreTrainedModel

from trainables.callback import Callback
from trainables.task import Task

Model = Any
"""A transformers `PreTrainedModel`, as it is or in a `PeftModel`; neither is typed well enough to say so."""


class Attach(Protocol):
    """The one name that a method's file must have."""

    def __call__(self, model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> Model: ...


def available() -> list[str]:
    """Return the names of all methods."""
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


def get(name: str) -> Attach:
    """Return `attach` of the method called `name`, one of `available()`."""
    attach: Attach = _module(name).attach
    return attach


def callback(name: str, model: Model, hyperparameters: Mapping[str, Any], steps: int) -> Callback:
    """Return the callback of the method called `name` for the planned `steps`; most do nothing."""
    module = _module(name)
    if not hasattr(module, "callback"):
        return Callback()
    callback: Callback = module.callback(model, hyperparameters, steps)
    return callback


def _module(name: str) -> ModuleType:
    assert name in available(), name
    return import_module(f"{__name__}.{name}")
