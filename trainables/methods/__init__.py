"""The ways to fine-tune, one file each, found by its name.

A method's file has one function, `attach(model, hyperparameters, task) -> model`: it makes the
parameters that the method trains, and only these, require a gradient. It may wrap the model (peft);
`trainables.model.Base` takes it off again. Its searchable hyperparameters are in `spaces/<name>.py`.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol

from transformers import PreTrainedModel

from trainables.task import Task

Model = Any
"""A transformers `PreTrainedModel`, as it is or in a `PeftModel`; neither is typed well enough to say so."""


class Attach(Protocol):
    """The one name that a method's file must have."""

    def __call__(self, model: PreTrainedModel, hyperparameters: Mapping[str, Any], task: Task) -> Model: ...


def available() -> list[str]:
    """The names of all methods."""
    return sorted(module.name for module in iter_modules(__path__))


def get(name: str) -> Attach:
    """The `attach` of the method called `name`, one of `available()`."""
    assert name in available(), name
    attach: Attach = import_module(f"{__name__}.{name}").attach
    return attach
