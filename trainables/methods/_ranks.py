"""AdaLoRA's allocator of ranks, as peft's `RankAllocator`, in a few kernels for all matrices at once."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from trainables.compat.torch import copy_all

KINDS = ("lora_A", "lora_E", "lora_B")


class Equal(NamedTuple):
    """How many layers of one shape stand next to each other, and their matrices' shapes by kind."""

    layers: int
    shapes: tuple[torch.Size, ...]


class Ranks:
    """The importance of each singular value, smoothed (the paper's equations 8 to 11), and which are left.

    All matrices lie one after the other in one vector: of layers of one shape first those of one kind. Values
    are bit for bit peft's, which takes nine kernels a matrix and step, and waits for each layer's ranks.
    """

    def __init__(self, model: nn.Module, config: Any) -> None:
        self.config = config
        named = dict(model.named_parameters())
        layers: dict[tuple[torch.Size, ...], list[tuple[str, ...]]] = {}
        for name in filter(lambda name: ".lora_A." in name, named):
            names = tuple(name.replace(".lora_A.", f".{kind}.") for kind in KINDS)
            layers.setdefault(tuple(named[each].shape for each in names), []).append(names)
        self._equal = [Equal(len(found), shapes) for shapes, found in layers.items()]
        self.names = [name for found in layers.values() for kind in zip(*found, strict=True) for name in kind]
        self._parameters = [named[name] for name in self.names]
        self.values = {name: named[name] for name in self.names if ".lora_E." in name}
        """Singular values `(rank, 1)` of each layer."""
        self.sensitivity: Tensor | None = None
        self.uncertainty: Tensor | None = None
        self.kept: Tensor | None = None
        """Which singular values are left, `(layers, rank)`, in the order of `values`."""

    @torch.no_grad()
    def update(self) -> None:
        """Take the step's gradients into account."""
        weights = _flat(self._parameters)
        importance = (weights * _flat(_gradients(self._parameters))).abs()
        if self.sensitivity is None or self.uncertainty is None:
            self.sensitivity = self.uncertainty = torch.zeros_like(importance)
        smooth, steady = self.config.beta1, self.config.beta2
        self.sensitivity = smooth * self.sensitivity + (1 - smooth) * importance
        distance = (importance - self.sensitivity).abs()
        self.uncertainty = steady * self.uncertainty + (1 - steady) * distance

    @torch.no_grad()
    def allocate(self, budget: int) -> None:
        """Leave as many singular values as `budget` says, fewer where several are equally important."""
        importance = self._of_values()
        taken = importance.numel() - budget
        self.kept = importance > torch.kthvalue(importance.view(-1), taken).values
        self.mask()

    @torch.no_grad()
    def mask(self) -> None:
        """Set to zero what is not left."""
        assert self.kept is not None
        values: list[Tensor] = list(self.values.values())
        masked = torch.stack(values).masked_fill(~self.kept.unsqueeze(2), 0.0)
        copy_all(values, masked.unbind())

    def forget(self) -> None:
        self.sensitivity = self.uncertainty = None

    def parts(self, flat: Tensor) -> dict[str, Tensor]:
        """Split a vector like `sensitivity` by the names of the matrices."""
        parts = flat.split([p.numel() for p in self._parameters])
        return {
            name: part.view_as(p) for name, part, p in zip(self.names, parts, self._parameters, strict=True)
        }

    def _of_values(self) -> Tensor:
        """How important each singular value is with its vectors, `(layers, rank)`: the paper's equation 7."""
        assert self.sensitivity is not None
        assert self.uncertainty is not None
        scores = self.sensitivity * self.uncertainty
        sizes = [layers * shape.numel() for layers, shapes in self._equal for shape in shapes]
        parts = iter(scores.split(sizes))
        found = []
        for layers, shapes in self._equal:
            right, value, left = (next(parts).view(layers, *shape) for shape in shapes)
            found.append(value.squeeze(2) + (right.mean(dim=2) + left.mean(dim=1)))
        return torch.cat(found)


def _flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def _gradients(parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    return [p.grad for p in parameters if p.grad is not None]
