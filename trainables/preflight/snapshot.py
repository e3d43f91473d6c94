"""Everything of a base model that a method could leave changed, for a comparison before and after."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from torch import nn

from trainables.methods import Model
from trainables.model import checksum

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@dataclass(frozen=True)
class Snapshot:
    """The state of a model; each field by the names of the model's parts."""

    weights: dict[str, Any]
    """Two hashes of the bits of each parameter and buffer."""
    modules: dict[str, str]
    """The class of each module."""
    hooks: dict[str, list[int]]
    """How many hooks of each kind a module has."""
    methods: dict[str, list[str]]
    """Functions that were put on a module itself, in place of its class's: a patched `forward`."""
    settings: dict[str, Any]
    """The configurations of the model and of its generation."""

    def changed_since(self, before: "Snapshot") -> list[str]:
        """Name what differs from `before`, each with its kind."""
        return [
            f"{field.name} of {name or 'the model'}"
            for field in fields(self)
            for name in _differing(getattr(before, field.name), getattr(self, field.name))
        ]


def snapshot(model: Model) -> Snapshot:
    parts = dict(model.named_modules())
    return Snapshot(
        weights=checksum(model),
        modules={name: type(part).__name__ for name, part in parts.items()},
        hooks={name: [len(getattr(part, kind)) for kind in HOOKS] for name, part in parts.items()},
        methods={name: _own_functions(part) for name, part in parts.items()},
        settings={"config": model.config.to_dict(), "generation_config": model.generation_config.to_dict()},
    )


def _own_functions(part: nn.Module) -> list[str]:
    return sorted(name for name, value in vars(part).items() if callable(value))


def _differing(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    return (name for name in {**before, **after} if before.get(name) != after.get(name))
